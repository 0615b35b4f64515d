"""The ROC curve is of the model as it was learnt, or it is said why it is not there."""

import json
import shutil

import pytest

from glasscreep.campaign.figures.catalogue import MAKERS
from glasscreep.campaign.figures.roc import roc_panel
from glasscreep.campaign.report_attempt import Attempt
from glasscreep.campaign.report_cache import Cache
from glasscreep.campaign.report_facts import versions
from glasscreep.campaign.report_frame import shown_frame
from glasscreep.campaign.report_panels import make_figure
from glasscreep.campaign.report_source import Source
from glasscreep.campaign.selection_options import ALL, Selection
from glasscreep.tasks.errors import AbsentError
from glasscreep.tasks.model_in_use import model_hash

COUNTS = {"threshold": 0.004, "interval": 20}
MODEL = {"test": [1], "train": [0], "features": ["std(A)"]}
OTHER = "0123456789abcdef" * 4


def teach(directory, **changed):
    """Write what `learn` would have found, as far as it is looked at here."""
    lesson = {"model": MODEL, "counts": COUNTS, "sha256": model_hash(directory)} | changed
    path = directory / "looseness" / "report.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(lesson))


@pytest.fixture
def taught(whole, tmp_path):
    """Copy the whole campaign, its model learnt from it."""
    copy = shutil.copytree(whole.directory, tmp_path / "taught")
    teach(copy)
    return copy


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        (Selection(where="replica == 0"), r"the selection \(--where 'replica == 0'\) leaves out"),
        (Selection(replica=[0]), r"all runs of the replicas that test \(\[1\]\): without it"),
        (Selection(replica=[1]), "looseness_histogram_20 is not asked for"),
        (ALL, "looseness_histogram_20 is not asked for"),
    ],
)
def test_it_is_said_if_the_selection_leaves_it_out(bare, selection, said):
    teach(bare.directory)
    panel = roc_panel(Source.of(bare.directory, selection=selection))
    with pytest.raises(AbsentError, match=said):
        panel.collect()


def test_it_is_of_the_replicas_that_test(taught):
    table = roc_panel(Source.of(taught)).collect()
    histogram = Source.of(taught).table("looseness_histogram_20")
    of_test = histogram[histogram["replica"] == 1]
    assert table["loose_examples"].iloc[0] == of_test["loose"].sum() > 0
    assert table["replicas"].iloc[0] == 1


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"interval": 60}, r"D2min over 20 steps .*, but the model was learnt with 60: set both"),
        ({"threshold": 0.2}, r"threshold is 0.004, but the model was learnt with 0.2: set both"),
    ],
)
def test_of_another_interval_or_threshold_there_is_none(taught, counts, said):
    teach(taught, counts=COUNTS | counts)
    with pytest.raises(AbsentError, match=said):
        roc_panel(Source.of(taught)).collect()


def test_of_another_model_than_the_one_learnt_there_is_none(taught):
    stored = model_hash(taught)
    teach(taught, sha256=OTHER)
    said = (
        rf"by the model {stored[:12]}, not by the model learnt last, {OTHER[:12]}: `glasscreep "
        rf"forget {taught} looseness`, then `glasscreep run .* replicas that test the other"
    )
    with pytest.raises(AbsentError, match=said):
        roc_panel(Source.of(taught)).collect()


def captions(directory):
    source, found = Source.of(directory), {}
    for number in (6, 7, 8):
        made = make_figure(number, Attempt(MAKERS[number](source)), source, Cache(directory))
        found |= {panel.name: panel.note for panel in made.panels}
    return found, shown_frame(source, 1000).caption, dict(versions(source))


def test_what_is_by_another_model_says_so(taught):
    notes, caption, facts = captions(taught)
    same = "looseness in the store is by"
    assert not any(same in note for note in [*notes.values(), caption])
    assert facts[same] == "this model"
    assert facts["tested on replicas"] == "1"
    stored = model_hash(taught)
    teach(taught, sha256=OTHER)
    notes, caption, facts = captions(taught)
    told = f"{same} the model {stored[:12]}, not by the model learnt last, {OTHER[:12]}"
    assert {name for name, note in notes.items() if told in note} == set(notes) - {"7B"}
    assert told in caption.replace("Looseness", "looseness")
    assert facts["learnt from this campaign"] == f"another model, of SHA-256 {OTHER}"
    assert "tested on replicas" not in facts


def test_a_model_that_was_put_in_its_place_is_told_from_that_of_the_store(taught):
    stored, model = model_hash(taught), taught / "looseness" / "model.skops"
    model.write_bytes(model.read_bytes() + b" ")
    (taught / "looseness" / "report.json").unlink()
    notes, _, facts = captions(taught)
    assert facts["looseness in the store is by"] == f"another model, of SHA-256 {stored}"
    assert f"by the model {stored[:12]}, not by" in notes["6B"]
