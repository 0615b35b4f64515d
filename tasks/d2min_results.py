"""Results of pairs of frames: how particles moved other than their neighbours did."""

from glasscreep.tasks.layout import ArraySpec
from glasscreep.tasks.observable import Kind, Observable, Result, Values
from glasscreep.tasks.result_arrays import of_particles
from glasscreep.tasks.run_frames import RunFrames

# The numerics are imported where they are used: `plan` and `status` must not wait for numba.

D2MIN = "d2min"


def _arrays(result: Result, particles: int) -> list[ArraySpec]:
    long_name = f"non-affine squared displacement over {result.interval} steps"
    what = "D2min from this frame to the one an interval later; mean over neighbours"
    return [of_particles(result.name, particles, "length^2", long_name, what, dtype="<f8")]


def _d2min(frames: RunFrames, result: Result, frame: int) -> Values:
    from glasscreep.analysis.d2min import d2min

    later = frame + frames.apart(result)
    cutoff = result.parameters["cutoff"]
    positions = frames.position(frame), frames.position(later)
    return (d2min(*positions, frames.edges[frame], frames.edges[later], cutoff),)


ENTRIES = (Observable(D2MIN, Kind.PAIR, _arrays, _d2min),)
