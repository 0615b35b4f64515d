"""A model comes back as it was saved, and a file that is anything else is refused unrun."""

import io
import json
import os
import pickle
import sys
import zipfile
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io

sys.path.insert(0, str(Path(__file__).parent))
from small_model import examples, real_features, real_frame, small_card, small_pipeline

from glasscreep.analysis.triangulation import delaunay
from glasscreep.tasks import model_archive, model_file
from glasscreep.tasks.errors import GlasscreepError, ModelFileError, UntrustedModelError
from glasscreep.tasks.model_archive import HEAD, NODES, SCHEMA, TRUSTED, pack
from glasscreep.tasks.model_file import FORMAT, VERSION, load_model, looseness_of, save_model


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.skops"
    save_model(path, small_pipeline(), small_card())
    return path


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(content: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.fixture
def changed(saved, tmp_path):
    """Write a model file of which one member is another."""

    def write(name: str, change: Any) -> Path:
        content = members(saved.read_bytes())
        parsed = json.loads(content[name])
        content[name] = json.dumps(change(parsed) or parsed).encode()
        path = tmp_path / "changed.skops"
        path.write_bytes(zipped(content))
        return path

    return write


def head(saved: Path) -> dict[str, Any]:
    return json.loads(members(saved.read_bytes())[HEAD])


def test_comes_back_as_it_was(saved):
    loaded = load_model(saved)
    features, _ = examples()
    assert loaded.card == small_card()
    expected = small_pipeline().predict_proba(features)
    np.testing.assert_array_equal(loaded.pipeline.predict_proba(features), expected)
    np.testing.assert_allclose(loaded.linear.looseness(features), expected[:, 1], atol=1e-12)


def test_looseness_is_the_pipelines_of_the_features_named(saved):
    loaded, frame = load_model(saved), real_frame()
    looseness = looseness_of(*frame, loaded)
    of_a = frame[2] == 1
    expected = small_pipeline().predict_proba(examples()[0])[:, 1]
    np.testing.assert_allclose(looseness[of_a], expected, atol=1e-12)
    assert np.isnan(looseness[~of_a]).all()
    np.testing.assert_array_equal(loaded.looseness(real_features(), frame[2]), looseness)
    known = delaunay(*frame[:2])
    np.testing.assert_array_equal(looseness_of(*frame, loaded, tetrahedra=known), looseness)


def test_order_of_features_is_the_cards(tmp_path):
    features, loose = examples()
    pipeline = skops.io.loads(skops.io.dumps(small_pipeline()), trusted=TRUSTED)
    backwards = pipeline.fit(features[:, ::-1], loose)
    card = small_card(features=small_card().features[::-1])
    save_model(tmp_path / "model.skops", backwards, card)
    looseness = looseness_of(*real_frame(), load_model(tmp_path / "model.skops"))
    expected = backwards.predict_proba(features[:, ::-1])[:, 1]
    np.testing.assert_allclose(looseness[real_frame()[2] == 1], expected, atol=1e-12)


def test_the_same_model_is_the_same_bytes(saved, tmp_path):
    save_model(tmp_path / "again.skops", small_pipeline.__wrapped__(), small_card())
    assert (tmp_path / "again.skops").read_bytes() == saved.read_bytes()


def test_skops_alone_reads_it_and_our_list_is_all_it_asks_for(saved):
    assert skops.io.get_untrusted_types(file=saved) == sorted(TRUSTED)
    pipeline = skops.io.load(saved, trusted=TRUSTED)
    assert pipeline.n_features_in_ == len(small_card().features)


def test_every_kind_of_node_that_is_allowed_is_needed(saved):
    schema = json.loads(members(saved.read_bytes())[SCHEMA])
    assert {model_archive._kind(node) for node in model_archive._nodes(schema)} == NODES


def test_saving_replaces_both_files_and_leaves_nothing_aside(tmp_path):
    path = tmp_path / "model.skops"
    path.write_text("old")
    save_model(path, small_pipeline(), small_card())
    assert sorted(os.listdir(tmp_path)) == ["model.md", "model.skops"]
    card = (tmp_path / "model.md").read_text()
    for said in ("std(A)", "reference", "0.25", "10000", "glasscreep looseness model.skops"):
        assert said in card


def test_what_could_not_be_read_back_is_not_saved(tmp_path):
    with pytest.raises(ModelFileError, match="card names 4 features and its pipeline takes 3"):
        save_model(tmp_path / "model.skops", small_pipeline(3), small_card())
    odd = skops.io.loads(skops.io.dumps(small_pipeline()), trusted=TRUSTED)
    odd.odd = methodcaller("upper")
    with pytest.raises(UntrustedModelError, match="OperatorFuncNode"):
        save_model(tmp_path / "model.skops", odd, small_card())
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("cut", [0, 1, 1000, -1000, -30, -1])
def test_cut_off_files_are_refused(saved, tmp_path, cut):
    path = tmp_path / "cut.skops"
    path.write_bytes(saved.read_bytes()[:cut])
    with pytest.raises(ModelFileError, match=r"cut\.skops .*Get the file again"):
        load_model(path)


@pytest.mark.parametrize("at", range(0, 40, 3))
def test_damage_anywhere_is_seen(saved, tmp_path, at):
    data = bytearray(saved.read_bytes())
    place = len(data) * at // 40
    data[place : place + 8] = bytes(255 - byte for byte in data[place : place + 8])
    path = tmp_path / "damaged.skops"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match=r"damaged\.skops"):
        load_model(path)


class Planted:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.mkdir, (self.trace,)


def test_a_pickle_is_refused_unread(tmp_path):
    path, trace = tmp_path / "model.skops", tmp_path / "trace"
    path.write_bytes(pickle.dumps(Planted(trace)))
    with pytest.raises(ModelFileError, match="it is no zip"):
        load_model(path)
    assert not trace.exists()


def test_an_array_of_pickles_is_refused_unread(saved, tmp_path):
    content, trace = members(saved.read_bytes()), tmp_path / "trace"
    buffer = io.BytesIO()
    np.save(buffer, np.array([Planted(trace)], object), allow_pickle=True)
    path = tmp_path / "model.skops"
    for name in [name for name in content if name.endswith(".npy")]:
        path.write_bytes(zipped({**content, name: buffer.getvalue()}))
        with pytest.raises(ModelFileError, match="allow_pickle=False"):
            load_model(path)
    assert not trace.exists()


def test_other_files_are_told_from_models(tmp_path):
    path = tmp_path / "other.skops"
    path.write_bytes(zipped({"readme.txt": b"hello"}))
    with pytest.raises(ModelFileError, match=r"it is a zip without glasscreep\.json"):
        load_model(path)
    path.write_bytes(skops.io.dumps(small_pipeline()))
    with pytest.raises(ModelFileError, match=r"it is a zip without glasscreep\.json"):
        load_model(path)
    with pytest.raises(ModelFileError, match="can't be read: No such file"):
        load_model(tmp_path / "missing.skops")
    with pytest.raises(ModelFileError, match="can't be read: Is a directory"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": VERSION + 1}, "knows those to 1: install a newer one"),
        ({"version": 0}, "of version 0 of the format, which there is not"),
        ({"version": True}, "of version True of the format"),
        ({"version": "1"}, "of version '1' of the format"),
        ({"version": None}, "of version None"),
        ({"format": "something"}, f"does not say that it is a {FORMAT}"),
        ({"card": None}, "the card in .* is damaged"),
        ({"card": {}}, "features: "),
    ],
)
def test_other_heads_are_refused(changed, change, said):
    with pytest.raises(ModelFileError, match=said):
        load_model(changed(HEAD, lambda parsed: parsed | change))


@pytest.mark.parametrize("text", [b"[]", b"7", b"{", b"\xff", b"[" * 100_000])
def test_heads_that_are_no_json_objects_are_refused(saved, tmp_path, text):
    path = tmp_path / "model.skops"
    for name in (HEAD, SCHEMA):
        path.write_bytes(zipped({**members(saved.read_bytes()), name: text}))
        with pytest.raises(ModelFileError, match=r"model\.skops"):
            load_model(path)


def test_a_newer_file_says_so_even_if_its_content_is_unknown(saved, tmp_path):
    content = {HEAD: json.dumps(head(saved) | {"version": 2}).encode(), "weights": b"other"}
    path = tmp_path / "newer.skops"
    path.write_bytes(zipped(content))
    with pytest.raises(ModelFileError, match="install a newer one"):
        load_model(path)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("features", ["std(A)"], "names 1 features and its pipeline takes 4"),
        ("features", ["std(A)"] * 4, "each once"),
        ("features", ["softness"], "names of interstice features"),
        ("features", [], "at least one name"),
        ("species", "C", r"one of \['A', 'B'\]"),
        ("units", "furlongs", "one of"),
        ("threshold", -1.0, "finite and above 0"),
        ("number_density", float("nan"), "finite and above 0"),
        ("nearest_distances", {"AA": 0.0}, r"nearest_distances\[AA\]"),
        ("preset", {"cells": "hull"}, "the switches"),
        ("interval", "soon", "interval: "),
        ("colour", "red", r"unknown fields \['colour'\]"),
    ],
)
def test_cards_that_can_not_be_are_refused(changed, field, value, said):
    def change(parsed):
        parsed["card"][field] = value

    with pytest.raises(ModelFileError, match=said):
        load_model(changed(HEAD, change))


def test_a_preset_that_can_not_be_is_refused(changed):
    def change(parsed):
        parsed["card"]["preset"]["cells"] = "cubes"

    with pytest.raises(ModelFileError, match="cells must be one of"):
        load_model(changed(HEAD, change))


def test_newer_and_older_nodes_of_skops_are_refused(changed):
    for protocol, said in ((1, "protocol 2 or later"), (99, "update skops"), ("2", "damaged")):

        def change(parsed, protocol=protocol):
            parsed["protocol"] = protocol

        with pytest.raises(ModelFileError, match=said):
            load_model(changed(SCHEMA, change))


def plant(parsed: dict[str, Any], node: dict[str, Any]) -> None:
    """Put a node where skops constructs it with the rest: an attribute of the pipeline."""
    parsed["content"]["content"]["planted"] = node
    key = {"__class__": "str", "__module__": "builtins", "__loader__": "TypeNode"}
    parsed["content"]["key_types"]["content"].append(key)


def json_node(value: object) -> dict[str, Any]:
    return {
        "__class__": "str",
        "__module__": "builtins",
        "__loader__": "JsonNode",
        "content": json.dumps(value),
        "is_json": True,
    }


def tuple_node(*values: object) -> dict[str, Any]:
    return {
        "__class__": "tuple",
        "__module__": "builtins",
        "__loader__": "TupleNode",
        "content": [json_node(value) for value in values],
    }


def list_node(content: list[Any]) -> dict[str, Any]:
    named = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode"}
    return {**named, "content": content}


def attacks(trace: str) -> dict[str, dict[str, Any]]:
    """Nodes each of which would make a folder, or lead to it, if it were constructed."""
    call = {"__class__": "mkdir", "__module__": "os", "__loader__": "FunctionNode"}
    empty = {"key_types": list_node([]), "content": {}}
    nothing = {"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode", **empty}
    return {
        "function": call,
        "type": {**call, "__loader__": "TypeNode"},
        "constructor": {
            **call,
            "__loader__": "ConstructorFromReduceNode",
            "content": tuple_node(trace),
        },
        "loss": {
            **call,
            "__loader__": "LossNode",
            "content": nothing,
            "__reduce__": {"args": tuple_node(trace)},
        },
        "list": {**list_node([json_node(trace)]), "__module__": "os", "__class__": "mkdir"},
        "set": {**list_node([json_node(trace)]), "__loader__": "SetNode"},
        "dict": {**nothing, "__module__": "os", "__class__": "getcwd"},
        "array": {
            **call,
            "__loader__": "NdArrayNode",
            "type": "json",
            "content": [],
            "shape": tuple_node(0),
        },
        "object": {**call, "__loader__": "ObjectNode", "content": nothing},
        "estimator": {
            "__module__": "sklearn.svm._classes",
            "__class__": "SVC",
            "__loader__": "ObjectNode",
            "content": nothing,
        },
        "partial": {
            "__module__": "functools",
            "__class__": "partial",
            "__loader__": "PartialNode",
            "content": {
                "func": call,
                "args": tuple_node(trace),
                "kwds": nothing,
                "namespace": json_node(None),
            },
        },
        "operator": {
            "__module__": "operator",
            "__class__": "methodcaller",
            "__loader__": "OperatorFuncNode",
            "attrs": tuple_node("mkdir"),
        },
        "operator in disguise": {
            "__module__": "builtins",
            "__class__": "str",
            "__loader__": "OperatorFuncNode",
            "attrs": tuple_node("mkdir"),
        },
        "method": {
            "__module__": "builtins",
            "__class__": "str",
            "__loader__": "MethodNode",
            "content": {"func": "upper", "obj": json_node(trace)},
        },
        "generator": {
            "__module__": "numpy.random._generator",
            "__class__": "Generator",
            "__loader__": "RandomGeneratorNode",
            "content": {"bit_generator": nothing, "seed_seq": nothing},
        },
        "cached": {**call, "__loader__": "CachedNode", "__id__": 1},
        "no such loader": {**call, "__loader__": "EvilNode"},
        "nothing said": {"__loader__": "ObjectNode"},
    }


@pytest.mark.parametrize("attack", attacks(""))
def test_nodes_that_could_run_something_are_refused_by_name(changed, tmp_path, monkeypatch, attack):
    trace = tmp_path / "trace"
    node = attacks(str(trace))[attack]
    path = changed(SCHEMA, partial(plant, node=node))
    unreached = partial(pytest.fail, "skops was asked")
    monkeypatch.setattr(model_archive, "_construct", unreached)
    with pytest.raises(UntrustedModelError, match=r"Nothing of it was run") as caught:
        load_model(path)
    named = f"{node.get('__module__')}.{node.get('__class__')} ({node['__loader__']})"
    assert named in str(caught.value)
    assert str(path) in str(caught.value)
    assert not trace.exists()


@pytest.mark.parametrize("attack", ["function", "constructor", "operator", "partial", "list"])
def test_skops_itself_would_refuse_them_too(changed, tmp_path, monkeypatch, attack):
    trace = tmp_path / "trace"
    path = changed(SCHEMA, partial(plant, node=attacks(str(trace))[attack]))
    monkeypatch.setattr(model_archive, "_kind", lambda _node: model_archive.ROOT)
    with pytest.raises(ModelFileError, match="is damaged: UntrustedTypesFoundException"):
        load_model(path)
    assert not trace.exists()


def test_nodes_are_found_wherever_they_hide(changed):
    def hide(parsed):
        parsed["somewhere"] = [{"deep": [attacks("x")["function"]]}]

    with pytest.raises(UntrustedModelError, match=r"os\.mkdir \(FunctionNode\)"):
        load_model(changed(SCHEMA, hide))


def test_a_file_of_something_else_allowed_is_no_model(changed):
    with pytest.raises(ModelFileError, match="does not hold a pipeline"):
        load_model(changed(SCHEMA, lambda _: {**json_node(1), "protocol": 2}))


def test_pipelines_of_other_steps_are_refused(changed):
    def drop(parsed):
        parsed["content"]["content"]["steps"]["content"].pop()

    with pytest.raises(ModelFileError, match="damaged"):
        load_model(changed(SCHEMA, drop))


def test_coefficients_that_are_no_numbers_are_refused(tmp_path):
    pipeline = skops.io.loads(skops.io.dumps(small_pipeline()), trusted=TRUSTED)
    pipeline[0].mean_[0] = np.nan
    content = pack(pipeline, {"format": FORMAT, "version": 1, "card": small_card().as_json()})
    (tmp_path / "model.skops").write_bytes(content)
    with pytest.raises(ModelFileError, match=r"not finite|nan|finite"):
        load_model(tmp_path / "model.skops")


def test_zip_bombs_are_refused_unread(saved, tmp_path, monkeypatch):
    path = tmp_path / "bomb.skops"
    content = members(saved.read_bytes())
    content["bomb.npy"] = bytes(10_000_000)
    path.write_bytes(zipped(content, zipfile.ZIP_DEFLATED))
    assert path.stat().st_size < 500_000
    with pytest.raises(ModelFileError, match="members are compressed"):
        load_model(path)
    overlapping = bytearray(zipped({HEAD: b"{}", "a": b"x" * 50}))
    at = overlapping.rindex(b"PK\x01\x02")
    for field in (20, 24):  # compressed and full size, of the last entry of the directory
        overlapping[at + field : at + field + 4] = (2**30).to_bytes(4, "little")
    path.write_bytes(overlapping)
    with pytest.raises(ModelFileError, match="2 members of 1073741826 bytes in a file of"):
        load_model(path)
    monkeypatch.setattr(model_archive, "MOST_MEMBERS", 3)
    with pytest.raises(ModelFileError, match="members"):
        load_model(saved)
    monkeypatch.setattr(model_file, "MOST_BYTES", 1 << 10)
    with pytest.raises(ModelFileError, match="larger than"):
        load_model(saved)


def test_arrays_that_claim_to_be_huge_are_refused(saved, tmp_path):
    content = members(saved.read_bytes())
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "<f8", "fortran_order": False, "shape": (2**40,)}
    )
    path = tmp_path / "model.skops"
    path.write_bytes(zipped({**content, "1.npy": buffer.getvalue() + bytes(64)}))
    with pytest.raises(ModelFileError, match="is damaged"):
        load_model(path)


def test_models_of_other_versions_of_scikit_learn_are_read(changed, saved):
    def older(parsed):
        for node in model_archive._nodes(parsed):
            if isinstance(node.get("content"), dict) and "_sklearn_version" in node["content"]:
                node["content"]["_sklearn_version"] = json_node("1.4.0")

    loaded = load_model(changed(SCHEMA, older))
    np.testing.assert_array_equal(loaded.linear.coefficients, load_model(saved).linear.coefficients)


def test_refusals_are_for_the_user():
    assert issubclass(UntrustedModelError, ModelFileError)
    assert issubclass(ModelFileError, GlasscreepError)
