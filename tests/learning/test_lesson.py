"""What a campaign has to learn from, and what is said where that is too little."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from glasscreep.analysis.drawing import Lowest
from glasscreep.analysis.interstice_presets import PRESETS
from glasscreep.campaign import learn
from glasscreep.campaign.lesson import lesson_of, variants
from glasscreep.campaign.lesson_demands import LessonError
from glasscreep.campaign.lesson_model import _likeness
from glasscreep.campaign.lesson_splits import demand_enough
from glasscreep.campaign.lesson_tables import Chosen, Counts
from glasscreep.campaign.sections import Campaign
from glasscreep.tasks.analysed import ANALYSED, Analysed, encode_analysed, read_analysed
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.files import write_durably
from glasscreep.tasks.fit_examples import FEWEST
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.trajectory_fit import Likeness, likeness_of, mean_likeness

GLASSES = [0, 0, 1, 1, 2, 2, 3, 3]
"""Row of the glass of each run: two points of each replica."""


def changed(taught, **learning):
    values = taught.prepared.campaign.model_dump()
    values["learning"] = {**values["learning"], **learning}
    return Campaign.model_validate(values, strict=False)


def lesson(taught, **learning):
    return lesson_of(changed(taught, **learning), taught.directory)


def test_all_replicas_and_their_frames_are_there(taught):
    found = lesson(taught)
    assert [source.row for source in found.sources] == list(range(8))
    assert [source.glass_row for source in found.sources] == GLASSES
    assert all(dict(source.frames) == {20: 11, 60: 9} for source in found.sources)
    assert found.points == ((0.1, 0.5), (0.3, 0.5))
    assert found.interval == 20
    assert found.preset == PRESETS["wu2023"]


def test_splits_never_part_a_glass(taught):
    for train, test in lesson(taught).split():
        assert sorted(train + test) == [0, 1, 2, 3]
        assert not set(train) & set(test)


def test_what_decides_is_what_tells_lessons_apart(taught):
    known = lesson(taught).made_from
    assert lesson(taught).made_from == known
    assert lesson(taught, threshold=0.03).made_from != known
    assert lesson(taught, seed=1).made_from != known
    values = changed(taught).model_dump()
    values["analysis"]["coordination"]["cutoff"]["AA"] = 1.5
    other = Campaign.model_validate(values, strict=False)
    assert lesson_of(other, taught.directory).made_from != known
    fewer = replace(lesson(taught), sources=lesson(taught).sources[:-1])
    assert fewer.made_from != known


def test_as_many_frames_made_anew_are_another_lesson(taught):
    copy = taught.copied("anew")
    assert lesson(copy).made_from == lesson(taught).made_from
    reader = FrameReader(copy.prepared.store)
    d2min = reader.sharded("d2min_20")
    other = d2min.read(5, 10, 11) * 1.01
    d2min.write(5, 10, other, write_durably, known=11)
    found = lesson(copy)
    assert [source.frames for source in found.sources] == [
        source.frames for source in lesson(taught).sources
    ]
    assert found.made_from != lesson(taught).made_from


def test_a_damaged_index_of_d2min_is_named(taught):
    copy = taught.copied("index")
    file = next((copy.prepared.store / "d2min_20").glob("c.3.0.*"))
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DamagedError, match=r"run \w+, array d2min_20 is damaged: the index of"):
        lesson(copy)


def test_frames_are_compared_with_those_of_all_runs(taught):
    reader = FrameReader(taught.prepared.store)
    found = [
        likeness_of(reader.position(row, 5), reader.lattice(row)[5], reader.species)
        for row in range(8)
    ]
    mean = _likeness(lesson_of(taught.prepared.campaign, taught.directory))
    assert mean.number_density == pytest.approx(np.mean([one.number_density for one in found]))
    assert mean.composition == {"A": 0.8, "B": 0.2}
    for pair, distance in mean.nearest_distances.items():
        assert distance == pytest.approx(np.mean([one.nearest_distances[pair] for one in found]))


def test_a_distance_is_of_the_frames_that_have_it():
    one, other = Likeness(1.0, {"A": 1.0}, {"AA": 1.0}), Likeness(2.0, {"A": 1.0}, {})
    assert mean_likeness([one, other]) == Likeness(1.5, {"A": 1.0}, {"AA": 1.0})


def test_points_may_be_chosen(taught):
    assert len(lesson(taught, temperature=[0.1]).sources) == 4
    assert lesson(taught, temperature=[0.3]).glasses == [0, 1, 2, 3]
    with pytest.raises(
        LessonError, match=r"learning\.temperature is 0\.2, .*allowed: 0\.1, 0\.3\."
    ):
        lesson(taught, temperature=[0.2])
    with pytest.raises(LessonError, match=r"learning\.stress is 0\.6, .*allowed: 0\.5\."):
        lesson(taught, stress=[0.6])


def test_a_campaign_that_is_not_analysed_is_told_so(taught):
    copy = taught.copied("unanalysed")
    for row in range(8):
        (copy.place(row) / "analysis.json").unlink()
    with pytest.raises(LessonError, match="no run has D2min over 20 steps yet"):
        lesson(copy)


def test_runs_may_be_of_unequal_length(taught):
    copy = taught.copied("unequal")
    place = copy.place(3)
    known = read_analysed(place).results
    shorter = {name: {**of, "frames": min(of["frames"], 5)} for name, of in known.items()}
    (place / ANALYSED).write_bytes(encode_analysed(Analysed(shorter)))
    frames = [dict(source.frames) for source in lesson(copy).sources]
    assert frames == [{20: 11, 60: 9}] * 3 + [{20: 5, 60: 5}] + [{20: 11, 60: 9}] * 4
    assert lesson(copy).made_from != lesson(taught).made_from


def test_an_interval_that_is_not_measured_is_refused(taught):
    with pytest.raises(LessonError, match="learning asks for D2min over 40 steps") as error:
        lesson(taught, interval=40)
    assert "analysis.d2min_intervals are 20, 60" in str(error.value)
    with pytest.raises(LessonError, match="over 100 steps"):
        lesson(taught, study={"intervals": [100]})


def test_a_campaign_without_d2min_is_refused(taught):
    values = changed(taught).model_dump()
    values["analysis"]["results"] = ["strain"]
    with pytest.raises(LessonError, match=r"add d2min to analysis\.results"):
        lesson_of(Campaign.model_validate(values, strict=False), taught.directory)


def test_a_directory_without_frames_is_refused(taught, tmp_path):
    with pytest.raises(LessonError, match="has no frames yet"):
        lesson_of(changed(taught), tmp_path / "nowhere")


def test_one_replica_is_not_enough(taught):
    copy = taught.copied("single")
    for row in range(2, 8):
        (copy.place(row) / "analysis.json").unlink()
    with pytest.raises(LessonError, match="only one replica has D2min yet"):
        lesson(copy)


def drawn(by_glass, at):
    """Draw from the first of the two runs of each glass."""
    run = np.repeat([2 * glass for glass in by_glass], [found[at] for found in by_glass.values()])
    order = np.arange(len(run))
    return Lowest.empty(len(run) + 1).offer(order.astype(np.uint64), run, order, 0, 0.0)


def chosen(by_glass, largest=0.4, pool=None):
    tight, loose = (sum(found) for found in zip(*by_glass.values(), strict=True))
    undefined = dict.fromkeys(by_glass, 0)
    counts = Counts({(20, 0.02): (tight, loose)}, by_glass, undefined, 0, largest)
    pool = by_glass if pool is None else pool
    return Chosen(counts, (drawn(pool, 1), drawn(pool, 0)), {}, {})


def test_too_few_of_a_class_are_refused_with_the_counts(taught):
    few = chosen(dict.fromkeys(range(4), (100, 2)))
    with pytest.raises(
        LessonError, match="too few loose examples to learn from: 8 of 408"
    ) as error:
        demand_enough(lesson(taught), few, [([0, 1], [2, 3])])
    assert f"{FEWEST} of each are the least" in str(error.value)
    with pytest.raises(LessonError, match="too few tight examples"):
        demand_enough(lesson(taught), chosen({0: (2, 100), 1: (2, 100)}), [([0], [1])])


def test_a_threshold_above_all_of_d2min_is_refused_with_the_largest(taught):
    none = chosen(dict.fromkeys(range(4), (100, 0)), largest=0.013)
    with pytest.raises(LessonError, match=r"0 of 400 examples are loose.*the largest is 0\.013"):
        demand_enough(lesson(taught), none, [([0, 1], [2, 3])])


def test_splits_that_lack_a_class_on_a_side_are_left_out(taught):
    lopsided = chosen({0: (100, 50), 1: (100, 30), 2: (100, 0), 3: (100, 0)})
    split = [([0, 1], [2, 3]), ([0, 2], [1, 3])]
    found = demand_enough(lesson(taught), lopsided, split)
    assert found.usable == [([0, 2], [1, 3])]
    (dropped,) = found.dropped
    assert (dropped["train"], dropped["test"]) == split[0]
    assert dropped["examples"] == {
        "train": {"tight": 200, "loose": 80},
        "test": {"tight": 200, "loose": 0},
    }
    runs = [source.run_id for source in lesson(taught).sources]
    assert dropped["runs"] == {"train": runs[:4], "test": runs[4:]}
    assert dropped["refused"] == (
        "the replicas that test (2, 3) have 0 loose and 200 tight examples of those drawn, and 2 "
        "of each are the least"
    )
    with pytest.raises(LessonError, match=r"by replica: 0: 50, 1: 30, 2: 0, 3: 0\. the replicas"):
        demand_enough(lesson(taught), lopsided, split[:1])


def test_examples_that_are_there_but_not_drawn_do_not_count(taught):
    there, pool = dict.fromkeys(range(4), (1000, 50)), dict.fromkeys(range(4), (5, 50))
    split = [([0, 1, 2], [3])]
    assert demand_enough(lesson(taught), chosen(there), split).usable == split
    with pytest.raises(LessonError, match=r"\(0, 1, 2\) have 150 loose and 15 tight") as error:
        demand_enough(lesson(taught), chosen(there, pool=pool), split)
    assert "a larger learning.tight" in str(error.value)


@pytest.mark.parametrize("key", ["tight", "per_class", "study.per_class"])
def test_too_few_examples_to_draw_are_refused(taught, key):
    *section, name = key.split(".")
    for value, fits in ((FEWEST - 1, False), (FEWEST, True)):
        learning = {name: value} if not section else {"study": {name: value}}
        if fits:
            assert changed(taught, **learning)
            continue
        with pytest.raises(ValidationError) as error:
            changed(taught, **learning)
        assert [".".join(map(str, one["loc"])) for one in error.value.errors()] == [
            f"learning.{key}"
        ]


def test_variants_differ_from_the_preset_and_from_each_other():
    found = variants(PRESETS["wu2023"])
    assert len(set(found.values()) | {PRESETS["wu2023"]}) == len(found) + 1
    assert found["radius B 0.44"].radii == (0.5, 0.44)
    assert found["amlearn"].radii == PRESETS["wu2023"].radii


def test_the_example_of_a_campaign_to_learn_from_is_valid():
    from glasscreep.campaign.file import load

    campaign = load(Path(__file__).parents[2] / "examples" / "reference.toml")
    assert campaign.learning.threshold == 0.25
    assert min(campaign.d2min_intervals) == 10_000


def test_what_interrupted_lessons_have_left_is_removed(taught, tmp_path):
    own = replace(lesson(taught), directory=tmp_path)
    kept = learn._fits(own) / "fit.json"
    folder = tmp_path / "looseness"
    left = ("parts/of_an_earlier_lesson.npz", "fits/earlier/fit.json", "pool.npz.12ab.partial")
    for file in (kept, folder / "pool.npz", *(folder / name for name in left)):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    learn._clean(own)
    files = {file for file in folder.rglob("*") if file.is_file()}
    assert files == {kept, folder / "pool.npz"}
    assert {place.name for place in folder.iterdir()} == {"fits", "pool.npz"}
    learn._clean(own)
    assert kept.exists()
