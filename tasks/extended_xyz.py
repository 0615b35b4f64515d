"""Writing extended XYZ."""

from collections.abc import Iterator
from typing import TextIO

import numpy as np

from glasscreep.tasks.model_card import NAMES
from glasscreep.tasks.text_table import as_columns, number, rows
from glasscreep.tasks.written_frame import Contents, WrittenFrame


def write_extended_xyz(file: TextIO, frame: WrittenFrame, contents: Contents) -> None:
    """Write one frame; its comment line has units and definitions."""
    properties = ["id:I:1", "type:I:1", "pos:R:3"]
    columns = [frame.ids, frame.species, *frame.positions.T]
    if frame.image is not None:
        properties.append("image:I:3")
        columns += list(frame.image.T)
    for name, values in frame.values.items():
        kind = "R" if values.dtype.kind == "f" else "I"
        parts = as_columns(values)
        properties.append(f"{name}:{kind}:{len(parts)}")
        columns += parts
    lattice = " ".join(map(number, frame.box.ravel().tolist()))
    comment = " ".join(
        [
            f'Lattice="{lattice}" Origin="0 0 0" pbc="T T T" Properties={":".join(properties)}',
            f"Step={frame.step}",
            *_said(frame, contents),
        ]
    )
    file.write(f"{len(frame.ids)}\n{comment}\n{rows(columns)}")


def _said(frame: WrittenFrame, contents: Contents) -> Iterator[str]:
    if frame.time is not None:
        yield f"Time={number(frame.time)}"
    # A column of names would have to be chemical elements for ASE: numbers of types are read by all.
    names = " ".join(f"{at}={NAMES[at - 1]}" for at in np.unique(frame.species).tolist())
    yield f'types="{names}"'
    if contents.units is not None:
        yield f"units={contents.units}"
    if contents.is_unwrapped:
        yield "unwrapped=T"
    for name, value in contents.about.items():
        yield f"{name}={_text(value)}"
    for column in contents.columns:
        yield f"{column.name}_units={_text(column.units)}"
        yield f"{column.name}_definition={_text(column.definition)}"
        if column.labels:
            yield f"{column.name}_values={_text(' '.join(column.labels))}"


def _text(value: str | float) -> str:
    if isinstance(value, str):
        # A line break would end the comment.
        escaped = " ".join(value.split()).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return number(value) if isinstance(value, float) else str(value)
