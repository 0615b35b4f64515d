"""A model file that could run something, or fill the memory, is refused unread and unrun."""

import io
import json
import pickle
import zipfile
from copy import deepcopy
from functools import partial, reduce
from operator import getitem
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from model_archives import json_node, members, zipped
from small_model import small_card

from glasscreep.tasks import model_archive, model_file
from glasscreep.tasks.errors import GlasscreepError, ModelFileError, UntrustedModelError
from glasscreep.tasks.model_archive import HEAD, NODES, SCHEMA, TRUSTED
from glasscreep.tasks.model_file import FORMAT, VERSION, card_in, load_model
from glasscreep.tasks.model_markdown import markdown
from glasscreep.tasks.trajectory_fit import Likeness, unlike


def test_skops_alone_reads_it_and_our_list_is_all_it_asks_for(saved):
    assert skops.io.get_untrusted_types(file=saved) == sorted(TRUSTED)
    pipeline = skops.io.load(saved, trusted=TRUSTED)
    assert pipeline.n_features_in_ == len(small_card().features)


def test_every_kind_of_node_that_is_allowed_is_needed(saved):
    schema = json.loads(members(saved.read_bytes())[SCHEMA])
    assert {model_archive._kind(node) for node in model_archive._nodes(schema)} == NODES


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


def plant(parsed: dict[str, Any], node: dict[str, Any]) -> None:
    """Put a node where skops constructs it with the rest: an attribute of the pipeline."""
    parsed["content"]["content"]["planted"] = node
    key = {"__class__": "str", "__module__": "builtins", "__loader__": "TypeNode"}
    parsed["content"]["key_types"]["content"].append(key)


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


ODD = [
    None, True, -1, 0, 1.5, 10**400, float("nan"), float("inf"), "x", "", [], ["x"], [None], [[]],
    {}, {"x": 1}, {"A": None}, {"A": "x"}, {"AB": 10**400},
]  # fmt: skip


def places(content, at=()):
    """Yield where in JSON something stands, of lists the first."""
    entries = content.items() if isinstance(content, dict) else ()
    entries = list(enumerate(content))[:1] if isinstance(content, list) else entries
    for key, value in entries:
        yield (*at, key)
        yield from places(value, (*at, key))


CARD = json.loads(json.dumps(small_card().as_json()))


@pytest.mark.parametrize("at", list(places(CARD)), ids=lambda at: ".".join(map(str, at)))
def test_whatever_stands_in_a_card_it_is_refused_or_can_be_used(at):
    for odd in ODD:
        card = deepcopy(CARD)
        inner = reduce(getitem, at[:-1], card)
        inner[at[-1]] = odd
        head = json.dumps({"format": FORMAT, "version": VERSION, "card": card})
        try:
            taken = card_in(zipped({HEAD: head.encode()}), Path("odd.skops"))
        except ModelFileError as error:
            assert "the card in odd.skops is damaged: " in str(error)  # noqa: PT017 - or it is taken
        else:
            assert markdown(taken, "odd.skops")
            assert unlike(Likeness(0.01, {taken.species: 0.5}, {"AA": 9.0}), taken)


@pytest.mark.parametrize(
    ("switch", "value", "said"),
    [
        ("face_cut", "x", "preset of a model's card: '<=' not supported between instances"),
        ("radii", None, "preset of a model's card: 'NoneType' object is not iterable"),
        ("radii", [10**400, 1], "preset of a model's card: int too large to convert to float"),
    ],
)
def test_switches_of_other_types_are_damage(changed, switch, value, said):
    def change(parsed):
        parsed["card"]["preset"][switch] = value

    with pytest.raises(ModelFileError, match=rf"the card in .* is damaged: .*{said}"):
        load_model(changed(HEAD, change))


def test_refusals_are_for_the_user():
    assert issubclass(UntrustedModelError, ModelFileError)
    assert issubclass(ModelFileError, GlasscreepError)
