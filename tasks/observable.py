"""What a result is: something measured on the frames of a run, with its parameters."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from glasscreep.tasks.layout import ArraySpec

if TYPE_CHECKING:
    from glasscreep.tasks.run_frames import RunFrames

Values = tuple[NDArray[Any], ...]
"""What is computed: for each array of a result, what it holds of a frame, or of a run."""
NOTED_AS = "noted_as"
"""Attribute of an array: its result, by the name that `analysis.json` of a run has it. Each chunk
of what is noted there has a file; of arrays without the attribute that can't be said."""


class Kind(Enum):
    """When a result can be computed."""

    BOX = "of the box of a frame, as soon as it is committed"
    FRAME = "of one frame, and maybe the first, as soon as its positions are in the store"
    PAIR = "of a frame and the one an interval later"
    RUN = "of all the frames of a run, when it is complete"


@dataclass(frozen=True, slots=True)
class Result:
    """Something to measure on the frames of a run: plain data, that travels to workers."""

    observable: str
    """What is measured: the name of an entry of the registry."""
    name: str
    """Name of the result, of which there may be several of one observable."""
    parameters: Mapping[str, Any]
    """What the values depend on besides the frames, JSON; those of its sources included."""
    interval: int = 0
    """From a frame to the later one that it is compared with [steps]."""
    sources: tuple["Result", ...] = ()
    """The results that it is computed from, if it is not from positions alone."""
    time_limit_s: float = 0.0
    """Longest that a function of the user's may take for one frame, or one run; 0 if it is built
    in [s]."""

    @property
    def reach(self) -> int:
        """How much later the last frame is that its value of a frame follows from [steps]."""
        return max(self.interval, *(source.reach for source in self.sources), 0)


def decoded_result(content: Mapping[str, Any]) -> Result:
    """Make a result of what `dataclasses.asdict` gave, written as JSON and read again."""
    sources = tuple(map(decoded_result, content["sources"]))
    return Result(**{**content, "sources": sources})


def plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Let parameters be as JSON gives them back: lists in place of tuples."""
    content: dict[str, Any] = json.loads(json.dumps(dict(parameters), allow_nan=False))
    return content


@dataclass(frozen=True, slots=True)
class Observable:
    """One entry of the registry: all that is to be known of a kind of result."""

    name: str
    """What a campaign file calls it."""
    kind: Kind
    """When it can be computed."""
    arrays: Callable[[Result, int], list[ArraySpec]]
    """Arrays of a result in the store, given the number of particles; coordinates after them."""
    compute: Callable[["RunFrames", Result, int], Values]
    """What its arrays hold of a frame; of a whole run, given the number of its frames."""
    sources: tuple[tuple[str, ...], ...] = ()
    """What it may be computed from: an observable, or several together. Of each choice that there
    is, a result for each result of those."""
    title: str = ""
    """Name of its results, where `{source}` and `{interval}` stand for those."""

    def result(self, parameters: Mapping[str, Any], interval: int = 0) -> Result:
        """Describe a result that is computed from the frames alone."""
        name = f"{self.name}_{interval}" if interval else self.name
        return Result(self.name, name, parameters, interval)

    def derived(self, parameters: Mapping[str, Any], *sources: Result) -> Result:
        """Describe a result that is computed from others."""
        interval = max(source.interval for source in sources)
        names = ", ".join(source.name for source in sources)
        theirs = {source.name: dict(source.parameters) for source in sources}
        name = self.title.format(source=names, interval=interval)
        own = {**parameters, "source": names, **theirs}
        return Result(self.name, name, own, interval, sources)

    def specs(self, result: Result, particles: int) -> list[ArraySpec]:
        """Describe a result's arrays, parameters included, and its coordinates."""
        specs = self.arrays(result, particles)
        own: dict[str, Any] = {
            "observable": self.name,
            NOTED_AS: result.name,
            "parameters": plain(result.parameters),
        }
        if result.interval:
            own["interval"] = result.interval
        if result.reach > result.interval:
            own["reach"] = result.reach
        return [
            spec if spec.values is not None else replace(spec, attributes=spec.attributes | own)
            for spec in specs
        ]
