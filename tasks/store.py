"""Making and extending the frame store, and its table of runs: the driver writes these."""

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import ArrayLike, NDArray
from zarr.abc.codec import BytesBytesCodec
from zarr.codecs import BloscCodec, Crc32cCodec

from glasscreep.tasks.cell import COMPONENTS
from glasscreep.tasks.files import storing, sync_directory, write_durably
from glasscreep.tasks.glasses import Glass, read_glass, read_glass_box, write_glass
from glasscreep.tasks.layout import (
    COORDINATES,
    INDEX,
    SCHEMA,
    SCHEMA_VERSION,
    WRITTEN_WHOLE,
    ArraySpec,
    StoreShape,
    frame_specs,
)
from glasscreep.tasks.loading import AXES
from glasscreep.tasks.lost_chunks import writing_every_chunk
from glasscreep.tasks.opening import METADATA, DurableStore, open_array, read_metadata
from glasscreep.tasks.provenance import PROVENANCE
from glasscreep.tasks.words import KOB_ANDERSEN, Words

__all__ = [
    "Glass",
    "RunTable",
    "StoreShape",
    "create_store",
    "extend_store",
    "read_glass",
    "read_glass_box",
    "remove_arrays",
    "write_glass",
    "write_run_table",
]


@dataclass(frozen=True, slots=True)
class RunTable:
    """What tells the runs of a store apart, a row each."""

    run_id: Sequence[str]
    """(runs,) identity of the run."""
    temperature: ArrayLike
    """(runs,) temperature of the dynamics [energy]."""
    stress: ArrayLike
    """(runs,) stress of the loading [energy / length**3]."""
    replica: ArrayLike
    """(runs,) which of the independent glasses."""
    seed: ArrayLike
    """(runs,) seed of the velocities."""
    glass_row: ArrayLike
    """(runs,) row of the glass in the store."""


def create_store(
    path: Path,
    shape: StoreShape,
    attrs: Mapping[str, Any],
    species: NDArray[np.uint8],
    step: NDArray[np.int64],
    time: NDArray[np.float64],
    results: Sequence[ArraySpec],
    words: Words = KOB_ANDERSEN,
) -> None:
    """Make a store with room for all runs; it is there as a whole or not at all.

    Parameters
    ----------
    path : Path
        Where the store will be; must not exist.
    shape : StoreShape
        How much it holds.
    attrs : mapping
        Attributes of the campaign, JSON.
    species : (particles,) uint8
        1 = A, 2 = B.
    step : (frames,) int
        MD step of each frame.
    time : (frames,) float
        Time under load of each frame [time].
    results : sequence of ArraySpec
        Arrays of the results, and their coordinates.
    words : Words, optional
        Units and meanings that differ between campaigns.
    """
    if path.exists():
        msg = f"{path} exists already; extend it, or choose another directory"
        raise FileExistsError(msg)
    partial = path.with_name(path.name + ".partial")
    with storing(path):
        shutil.rmtree(partial, ignore_errors=True)  # left by a crash
        (partial / PROVENANCE).mkdir(parents=True)
        for spec in (*frame_specs(shape), *results):
            _create_array(partial / spec.name, words.of(spec), shape)
        _write_group(partial / PROVENANCE, {})
        own = {"Conventions": "CF-1.11", "schema": SCHEMA, "schema_version": SCHEMA_VERSION}
        _publish(partial, {**own, "coordinates": COORDINATES, **attrs})
        _write_columns(
            partial,
            {
                "species": species,
                "dim": AXES,
                "tilt": COMPONENTS[len(AXES) :],
                "component": COMPONENTS,
                "particle_id": np.arange(1, shape.particles + 1),
                "step": step,
                "time": time,
            },
        )
        os.replace(partial, path)
        sync_directory(path.parent)


def extend_store(
    path: Path,
    shape: StoreShape,
    step: NDArray[np.int64],
    time: NDArray[np.float64],
    results: Sequence[ArraySpec] = (),
    words: Words = KOB_ANDERSEN,
) -> None:
    """Make room in a store for more runs, frames, glasses or results.

    A crash in the middle leaves the store as it was to its readers; calling again completes it.

    Parameters
    ----------
    path : Path
        The store.
    shape : StoreShape
        How much it holds from now on; a dimension that would shrink keeps its length.
    step, time, results, words
        As in `create_store`.

    Raises
    ------
    DamagedError
        If the `zarr.json` of the store, or of an array, is damaged or lost.
    """
    attributes = read_metadata(path)["attributes"]
    _demand_metadata(path)
    for metadata in sorted(path.glob(f"*/{METADATA}")):
        _grow(metadata, shape.sizes())
    for spec in results:
        if not (path / spec.name).is_dir():
            _create_aside(path / spec.name, words.of(spec), shape)
    # Readers go by the root's copy of the shapes; until it is replaced they see the old store.
    arrays = zarr.open_group(DurableStore(path), mode="r+", use_consolidated=False)
    if len(step) == open_array(arrays, "step").shape[0]:
        _assign(arrays, {"step": step, "time": time})
    _enlarge_index(arrays, zarr.open_group(path, mode="r"))
    _publish(path, attributes)


def remove_arrays(path: Path, names: Iterable[str]) -> None:
    """Take arrays out of a store, one after the other; calling again completes it."""
    for name in names:
        array = path / name
        partial = array.with_name(array.name + ".partial")
        with storing(array):
            shutil.rmtree(partial, ignore_errors=True)  # left by a crash
            if array.is_dir():
                os.replace(array, partial)
                sync_directory(path)
            shutil.rmtree(partial, ignore_errors=True)
    _publish(path, read_metadata(path)["attributes"])


def write_run_table(path: Path, table: RunTable) -> None:
    """Write what tells the runs apart; the table has a row for every run of the store."""
    _write_columns(path, {name: getattr(table, name) for name in RunTable.__slots__})


def _demand_metadata(path: Path) -> None:
    """Refuse arrays that do not describe themselves any more: the copy would go without them."""
    for name in zarr.open_group(path, mode="r").array_keys():
        if (path / name).is_dir():  # else someone has removed the result
            read_metadata(path / name)


def _create_array(directory: Path, spec: ArraySpec, shape: StoreShape) -> None:
    codecs: list[BytesBytesCodec] = [Crc32cCodec()]
    if spec.compression is not None:
        size, name = np.dtype(spec.dtype).itemsize, spec.compression
        codecs.insert(0, BloscCodec(typesize=size, cname=name, clevel=3, shuffle="bitshuffle"))
    array: zarr.Array[Any] = zarr.create_array(
        DurableStore(directory),
        shape=spec.shape(shape),
        dtype=str if spec.dtype == "str" else np.dtype(spec.dtype),
        chunks=spec.chunk_shape(shape),
        shards=spec.shard_shape(shape),
        compressors=codecs,
        fill_value=spec.fill,
        attributes=spec.attributes,
        chunk_key_encoding={"name": "default", "separator": "."},
        dimension_names=spec.dims,
    )
    if spec.values is not None:
        array[:] = np.asarray(spec.values)
    if spec.name in INDEX:
        writing_every_chunk(array)[:] = spec.fill


def _create_aside(directory: Path, spec: ArraySpec, shape: StoreShape) -> None:
    partial = directory.with_name(directory.name + ".partial")
    with storing(directory):
        shutil.rmtree(partial, ignore_errors=True)  # left by a crash
        partial.mkdir()
        _create_array(partial, spec, shape)
        os.replace(partial, directory)
        sync_directory(directory.parent)


def _grow(metadata: Path, wanted: Mapping[str, int]) -> None:
    array = read_metadata(metadata.parent)
    if array["node_type"] != "array":
        return
    dims = zip(array["dimension_names"], array["shape"], strict=True)
    grown = [max(length, wanted.get(dim, 0)) for dim, length in dims]
    if grown != array["shape"]:
        write_durably(metadata, json.dumps({**array, "shape": grown}).encode())


def _enlarge_index(grown: zarr.Group, before: zarr.Group) -> None:
    for name in INDEX:
        array, rows = open_array(grown, name), open_array(before, name).shape[0]
        if WRITTEN_WHOLE in array.attrs and array.shape[0] > rows:
            writing_every_chunk(array)[rows:] = array.fill_value


def _publish(path: Path, attributes: Mapping[str, Any]) -> None:
    """Write the root, with the copy of all arrays' metadata that readers open the store by."""
    found = {file.parent.name: read_metadata(file.parent) for file in path.glob(f"*/{METADATA}")}
    arrays = {name: found[name] for name in sorted(found) if found[name]["node_type"] == "array"}
    inline = {"kind": "inline", "must_understand": False, "metadata": arrays}
    _write_group(path, attributes, consolidated_metadata=inline)


def _write_group(path: Path, attributes: Mapping[str, Any], **more: Any) -> None:
    group = {"zarr_format": 3, "node_type": "group", "attributes": dict(attributes), **more}
    write_durably(path / METADATA, json.dumps(group).encode())


def _write_columns(path: Path, columns: Mapping[str, Any]) -> None:
    _assign(zarr.open_group(DurableStore(path), mode="r+"), columns)


def _assign(group: zarr.Group, columns: Mapping[str, Any]) -> None:
    for name, values in columns.items():
        array = open_array(group, name)
        column = np.asarray(values)
        if column.shape != array.shape:
            msg = f"{name} has {column.shape} values, the store has room for {array.shape}"
            raise ValueError(msg)
        array[:] = column
