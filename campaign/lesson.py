"""What a campaign has to learn from: its runs, its examples, and how they are split."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from glasscreep.analysis.interstice_presets import IntersticePreset, choose
from glasscreep.campaign.compatible import demand_compatible
from glasscreep.campaign.learning_section import LearningSection
from glasscreep.campaign.lesson_demands import LessonError, demand_sense, is_chosen
from glasscreep.campaign.run_list import asked_for, run_table
from glasscreep.campaign.sections import Campaign
from glasscreep.tasks.analysed import read_analysed
from glasscreep.tasks.d2min_results import D2MIN
from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.examples import Draw
from glasscreep.tasks.mending import computed_anew
from glasscreep.tasks.observable import plain
from glasscreep.tasks.places import LOOSENESS, STORE, run_directory
from glasscreep.tasks.reader import FrameReader, reader_of

MOST_LOOSE = 100_000
"""Loose examples that models are made of at most."""
POOL, STUDY, RANKING = 0, 1, 100_001
"""Streams of draws; samples of the study and of the ranking count from theirs."""
MAKING = 2
"""Counted up when what is learnt from the same changes."""
PACKAGES = ("glasscreep", "scikit-learn", "imbalanced-learn", "numpy")
"""Whose versions decide what is learnt."""


@dataclass(frozen=True, slots=True)
class Source:
    """One run that has examples."""

    row: int
    """Its row in the store."""
    run_id: str
    """Its identity."""
    glass_row: int
    """Row of its glass in the store: runs of a glass are never split."""
    point: tuple[float, float]
    """Its temperature and stress [energy], [energy / length**3]."""
    frames: Mapping[int, int]
    """By interval, the frames that have D2min [steps]."""
    d2min: str
    """Hash of the checksums that it is stored with: made anew otherwise, it is another."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """Everything that decides what is learnt."""

    campaign: Campaign
    """What is asked for."""
    directory: Path
    """Campaign directory."""
    sources: tuple[Source, ...]
    """Runs to learn from, by row."""

    @property
    def told(self) -> LearningSection:
        """How to learn."""
        return self.campaign.learning

    @property
    def interval(self) -> int:
        """Within it a particle rearranges, or not [steps]."""
        return self.told.interval or min(self.campaign.d2min_intervals)

    @property
    def intervals(self) -> tuple[int, ...]:
        """Intervals of the study and of the model [steps]."""
        studied = self.told.study.intervals or self.campaign.d2min_intervals
        return tuple(sorted({*studied, self.interval}))

    @property
    def species(self) -> int:
        """Particles that are examples: 1 = A, 2 = B."""
        return {"A": 1, "B": 2}[self.told.species]

    @property
    def glasses(self) -> list[int]:
        """Rows of the glasses that have examples."""
        return sorted({source.glass_row for source in self.sources})

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """Temperatures and stresses of the runs."""
        return tuple(sorted({source.point for source in self.sources}))

    @property
    def preset(self) -> IntersticePreset:
        """What the model's features are."""
        switches = self.campaign.analysis_parameters()["features"]
        fields = {name: switches[name] for name in IntersticePreset.__slots__}
        return IntersticePreset(**fields)

    @property
    def made_from(self) -> str:
        """Tell it from any other lesson."""
        content = {
            "making": MAKING,
            "runs": [
                [source.run_id, sorted(source.frames.items()), source.d2min]
                for source in self.sources
            ],
            "d2min": plain(self.campaign.analysis_parameters()[D2MIN]),
            "features": plain(self.campaign.analysis_parameters()["features"]),
            "coordination": plain(self.campaign.analysis_parameters()["coordination"]),
            "learning": self.told.model_dump(mode="json"),
            "versions": {name: version(name) for name in PACKAGES},
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def seed(self, *purpose: object) -> int:
        """Give a seed of its own to each thing that is random, in 32 bits as scikit-learn wants."""
        text = json.dumps([self.told.seed, *purpose])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")

    def split(self) -> list[tuple[list[int], list[int]]]:
        """Choose the glasses that train and that test, several times."""
        from glasscreep.analysis.splitting import splits

        told = self.told
        found = splits(
            self.glasses, told.test_fraction, count=told.splits, seed=self.seed("splits")
        )
        return [(list(map(int, train)), list(map(int, test))) for train, test in found]

    def pool(self) -> tuple[Draw, Draw]:
        """Draw the examples that models are made of: loose, then tight."""
        told = self.told
        of = self.interval, told.threshold
        return Draw(*of, True, POOL, MOST_LOOSE), Draw(*of, False, POOL, told.tight)

    def study(self) -> list[tuple[Draw, Draw]]:
        """Draw the samples of the study: loose and tight of each."""
        study = self.told.study
        return [
            _sample(interval, threshold, STUDY + sample, study.per_class)
            for interval in self.told.study.intervals or self.campaign.d2min_intervals
            for threshold in study.thresholds
            for sample in range(self.told.samples)
        ]

    def ranking(self) -> list[tuple[Draw, Draw]]:
        """Draw the samples that features are ranked on: each split takes those that train."""
        told = self.told
        return [
            _sample(self.interval, told.threshold, RANKING + sample, told.per_class)
            for sample in range(told.samples)
        ]


def _sample(interval: int, threshold: float, stream: int, most: int) -> tuple[Draw, Draw]:
    return (
        Draw(interval, threshold, True, stream, most),
        Draw(interval, threshold, False, stream, most),
    )


def lesson_of(campaign: Campaign, directory: Path) -> Lesson:
    """Find out what a campaign has to learn from.

    Parameters
    ----------
    campaign : Campaign
        What is asked for.
    directory : Path
        Campaign directory; frames that are analysed so far count.

    Raises
    ------
    LessonError
        If there is nothing to learn from, with what is missing.
    """
    demand_sense(campaign)
    if not (directory / STORE).exists():
        msg = f"{directory} has no frames yet: `glasscreep run` makes and analyses them first."
        raise LessonError(msg)
    demand_compatible(_without_looseness(campaign), directory)
    found = Lesson(campaign, directory, ())
    sources = _sources(campaign, directory)
    labelled = tuple(source for source in sources if source.frames.get(found.interval))
    found = replace(found, sources=labelled)
    if not labelled:
        msg = (
            f"no run has D2min over {found.interval} steps yet, which examples are labelled by: "
            "`glasscreep run` (or `submit`) with this file computes it."
        )
        raise LessonError(msg)
    if len(found.glasses) < 2:
        msg = (
            "only one replica has D2min yet, and looseness is tested on replicas that it was not "
            "learnt from: two are the least, ten are better."
        )
        raise LessonError(msg)
    return found


def _without_looseness(campaign: Campaign) -> Campaign:
    """Leave out what a model that is there by now was used for: another may be learnt."""
    names = tuple(name for name in campaign.analysis.results if LOOSENESS not in name)
    analysis = campaign.analysis.model_copy(update={"results": names})
    return campaign.model_copy(update={"analysis": analysis})


def _sources(campaign: Campaign, directory: Path) -> list[Source]:
    table = run_table(directory)
    asked: list[Any] = list(table[asked_for(campaign, table)].itertuples())
    reader, sources = reader_of(directory / STORE), []
    for run in asked:
        if not is_chosen(run.temperature, campaign.learning.temperature):
            continue
        if not is_chosen(run.stress, campaign.learning.stress):
            continue
        frames = _frames(campaign, directory, run.id)
        point = float(run.temperature), float(run.stress)
        d2min = _stored(reader, run.Index, frames)
        sources.append(Source(run.Index, run.id, int(run.glass_row), point, frames, d2min))
    return sources


def _frames(campaign: Campaign, directory: Path, run_id: str) -> dict[int, int]:
    analysed = read_analysed(run_directory(directory, run_id))
    results = {one.interval: one for one in campaign.results() if one.observable == D2MIN}
    found = {interval: analysed.frames_of(result) for interval, result in results.items()}
    return {interval: frames for interval, frames in sorted(found.items()) if frames}


def _stored(reader: FrameReader, row: int, frames: Mapping[int, int]) -> str:
    """Hash what D2min of a run is stored with, which takes a look at each frame, and no reading."""
    found = hashlib.sha256()
    for interval, count in frames.items():
        name = f"d2min_{interval}"
        run_id = reader.run_ids[row]
        with naming_damage(f"run {run_id}, array {name}", computed_anew(run_id)):
            found.update(b"".join(reader.sharded(name).checksums(row, 0, count)))
    return found.hexdigest()


def variants(preset: IntersticePreset) -> dict[str, IntersticePreset]:
    """Choose otherwise, in turn, what the paper leaves open."""
    switches: dict[str, dict[str, Any]] = {
        "fraction": {"measure": "fraction"},
        "clipped": {"clip": True},
        "facet": {"triangles": "facet"},
        "hull": {"cells": "hull"},
        "face_cut 0.05": {"face_cut": 0.05},
    }
    a = preset.radii[0]
    for b in (0.40, 0.44):  # of sigma_AA: sigma_AB / 2 and sigma_BB / 2
        switches[f"radius B {2 * a * b:.2f}"] = {"radii": (a, 2 * a * b)}
    found = {name: choose(preset, change) for name, change in switches.items()}
    found["amlearn"] = choose("amlearn", {"radii": preset.radii})
    return {name: other for name, other in found.items() if other != preset}
