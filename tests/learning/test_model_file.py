"""A model comes back as it was saved; a file that is damaged or of something else is refused."""

import json
import os
from operator import methodcaller
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from model_archives import json_node, members, zipped
from small_model import examples, real_features, real_frame, small_card, small_pipeline

from glasscreep.analysis.triangulation import delaunay
from glasscreep.tasks import model_archive
from glasscreep.tasks.errors import ModelFileError, UntrustedModelError
from glasscreep.tasks.model_archive import HEAD, SCHEMA, TRUSTED, pack
from glasscreep.tasks.model_file import FORMAT, VERSION, load_model, looseness_of, save_model
from glasscreep.tasks.model_markdown import markdown


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


def test_saving_replaces_both_files_and_leaves_nothing_aside(tmp_path):
    path = tmp_path / "model.skops"
    path.write_text("old")
    save_model(path, small_pipeline(), small_card())
    assert sorted(os.listdir(tmp_path)) == ["model.md", "model.skops"]
    card = (tmp_path / "model.md").read_text()
    for said in ("std(A)", "reference", "0.25", "10000", "glasscreep looseness model.skops"):
        assert said in card


@pytest.mark.parametrize(
    ("units", "point"), [("lj", "T 0.1 at 0.5 |"), ("metal", "T 0.1 K at 0.5 bar |")]
)
def test_numbers_of_a_card_have_the_units_that_have_names(units, point):
    page = markdown(small_card(units=units), "model.skops")
    assert f"| temperature, stress | {point}" in page
    assert (" energy" in page, " angstrom" in page) == (False, units == "metal")


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


def test_models_of_other_versions_of_scikit_learn_are_read(changed, saved):
    def older(parsed):
        for node in model_archive._nodes(parsed):
            if isinstance(node.get("content"), dict) and "_sklearn_version" in node["content"]:
                node["content"]["_sklearn_version"] = json_node("1.4.0")

    loaded = load_model(changed(SCHEMA, older))
    np.testing.assert_array_equal(loaded.linear.coefficients, load_model(saved).linear.coefficients)
