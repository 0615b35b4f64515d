"""Four numbers at once in compiled kernels, with the same bits on every machine.

Compilers may not reorder a sum, so they leave it scalar. Here the order is written down: lane k
of a sum takes every fourth term from the k-th on, and `total` adds up the lanes as
``(0 + 1) + (2 + 3)``. No product is fused with a sum. A processor without vectors of four does
the same in pieces.

The functions are for kernels alone, where each becomes a few instructions: what numba puts in
their place is further down. Called from Python they raise `OnlyInKernelsError`. Arrays must be contiguous, and whether an index is inside
is not looked at.
"""

import inspect
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, models, register_model, type_callable
from numpy.typing import NDArray

WIDTH = 4
"""How many numbers `Lanes` holds."""


class OnlyInKernelsError(RuntimeError):
    """A function without a meaning outside compiled kernels was called from Python."""

    def __init__(self) -> None:
        super().__init__("this can be called in compiled kernels alone: see analysis/compiled.py")


class Lanes:
    """Four float64 side by side."""

    def __add__(self, other: "Lanes") -> "Lanes":
        """Add lane by lane."""
        raise OnlyInKernelsError

    def __sub__(self, other: "Lanes") -> "Lanes":
        """Subtract lane by lane."""
        raise OnlyInKernelsError

    def __mul__(self, other: "Lanes") -> "Lanes":
        """Multiply lane by lane."""
        raise OnlyInKernelsError


def spread(value: float) -> Lanes:
    """Put one number into all lanes."""
    raise OnlyInKernelsError


def load(array: NDArray[np.float64], at: int) -> Lanes:
    """Read ``array[at : at + 4]``."""
    raise OnlyInKernelsError


def store(array: NDArray[np.float64], at: int, value: Lanes) -> None:
    """Write ``array[at : at + 4]``."""
    raise OnlyInKernelsError


def larger(a: Lanes, b: Lanes) -> Lanes:
    """Take the larger of two lane by lane; that of `b` where one is `nan`."""
    raise OnlyInKernelsError


def smaller(a: Lanes, b: Lanes) -> Lanes:
    """Take the smaller of two lane by lane; that of `b` where one is `nan`."""
    raise OnlyInKernelsError


def root(value: Lanes) -> Lanes:
    """Take the square root lane by lane."""
    raise OnlyInKernelsError


def total(value: Lanes) -> float:
    """Add up the lanes, as ``(0 + 1) + (2 + 3)``."""
    raise OnlyInKernelsError


def gather(
    table: NDArray[np.float64], rows: NDArray[np.uint32], at: int, column: int
) -> tuple[Lanes, Lanes]:
    """Read ``table[rows[at : at + 4], column]``, and the same of the next column.

    Columns go by pairs since the lanes of two take no more reading than those of one.
    """
    raise OnlyInKernelsError


def if_within(value: Lanes, judged: Lanes, limit: Lanes) -> Lanes:
    """Take `value` in lanes where `judged` is at most its limit, and 0 where not."""
    raise OnlyInKernelsError


def count_within(judged: Lanes, limit: Lanes) -> int:
    """Count the lanes where `judged` is at most its limit."""
    raise OnlyInKernelsError


def append_near(
    found: NDArray[np.uint32],
    n: int,
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    z: NDArray[np.float32],
    first: int,
    center: tuple[np.float32, np.float32, np.float32],
    limit: np.float32,
) -> int:
    """Append which of the eight points from `first` on are near, to single precision.

    Without a branch, which no processor could foresee. Eight numbers are read from each of
    `x`, `y`, `z`, and eight written to `found` from index `n` on, of which some mean nothing.

    Parameters
    ----------
    found : (> n + 7,) uint32
        Index of each point that is near.
    n : int
        How many are in `found`.
    x, y, z : (> first + 7,) float32
        Coordinates [length].
    first : int
        The first of the eight.
    center : tuple of float32
        Where they are to be near to [length].
    limit : float32
        Largest square of a distance that is near [length**2].

    Returns
    -------
    int
        How many are in `found` now.
    """
    raise OnlyInKernelsError


class _LanesType(types.Type):
    def __init__(self) -> None:
        super().__init__(name="Lanes")


_numba: Any = types
_cgutils: Any = cgutils
_LANES: Any = _LanesType()
_FLOATS, _TABLE = (_numba.Array(types.float64, dimensions, "C") for dimensions in (1, 2))
_SINGLES, _INDICES = (_numba.Array(kind, 1, "C") for kind in (types.float32, types.uint32))

_DOUBLE, _INT, _LONG = ir.DoubleType(), ir.IntType(32), ir.IntType(64)
_DOUBLES, _PAIR, _INTS = (ir.VectorType(*of) for of in ((_DOUBLE, 4), (_DOUBLE, 2), (_INT, 4)))


@register_model(_LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        # Numba's own classes carry no types.
        super().__init__(manager, kind, _DOUBLES)  # type: ignore[no-untyped-call]


def _fits(kind: Any, take: Any) -> bool:
    if isinstance(take, types.Array):
        same = isinstance(kind, types.Array) and (kind.dtype, kind.ndim) == (take.dtype, take.ndim)
        return same and kind.layout == "C"
    return isinstance(kind, types.Integer) if take is types.int64 else kind == take


def _emits(function: Any, result: Any, *takes: Any) -> Callable[[Any], Any]:
    """Have calls of `function` in a kernel become what the decorated function builds."""

    def typer(context: Any) -> Callable[..., Any]:
        def result_of(*kinds: Any) -> Any:
            return result if all(map(_fits, kinds, takes)) else None

        typing: Any = result_of
        typing.pysig = inspect.signature(function)
        return result_of

    def register(build: Any) -> Any:
        def lower(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            def prepared(kind: Any, value: Any) -> Any:
                if isinstance(kind, types.Array):
                    return context.make_array(kind)(context, builder, value)
                if isinstance(kind, types.Integer):
                    return context.cast(builder, value, kind, types.int64)
                return value

            built = build(builder, *map(prepared, signature.args, values))
            if isinstance(built, tuple):
                return context.make_tuple(builder, signature.return_type, built)
            return context.get_dummy_value() if built is None else built

        classes = {types.int64: types.Integer} | dict.fromkeys(
            (_FLOATS, _TABLE, _SINGLES, _INDICES), types.Array
        )
        type_callable(function)(typer)
        lower_builtin(function, *(classes.get(take, take) for take in takes))(lower)
        return build

    return register


for _symbol, _instruction in (
    (operator.add, "fadd"),
    (operator.iadd, "fadd"),
    (operator.sub, "fsub"),
    (operator.isub, "fsub"),
    (operator.mul, "fmul"),
    (operator.imul, "fmul"),
):
    _emits(_symbol, _LANES, _LANES, _LANES)(getattr(ir.IRBuilder, _instruction))


def _shuffled(builder: Any, a: Any, b: Any, *lanes: int) -> Any:
    return builder.shuffle_vector(a, b, ir.Constant(_INTS, list(lanes)))


def _broadcast(builder: Any, value: Any, width: int = WIDTH) -> Any:
    nothing = ir.Constant(ir.VectorType(value.type, width), ir.Undefined)
    front = ir.Constant(ir.VectorType(_INT, width), [0] * width)
    return builder.shuffle_vector(builder.insert_element(nothing, value, _INT(0)), nothing, front)


def _place(builder: Any, array: Any, at: Any, kind: Any) -> Any:
    return builder.bitcast(builder.gep(array.data, [at]), kind.as_pointer())


@_emits(spread, _LANES, types.float64)
def _spread(builder: Any, value: Any) -> Any:
    return _broadcast(builder, value)


# Arrays are aligned for their elements alone.
@_emits(load, _LANES, _FLOATS, types.int64)
def _load(builder: Any, array: Any, at: Any) -> Any:
    return builder.load(_place(builder, array, at, _DOUBLES), align=8)


@_emits(store, types.none, _FLOATS, types.int64, _LANES)
def _store(builder: Any, array: Any, at: Any, value: Any) -> None:
    builder.store(value, _place(builder, array, at, _DOUBLES), align=8)


@_emits(larger, _LANES, _LANES, _LANES)
def _larger(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


@_emits(smaller, _LANES, _LANES, _LANES)
def _smaller(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered("<", a, b), a, b)


@_emits(root, _LANES, _LANES)
def _root(builder: Any, value: Any) -> Any:
    kind = ir.FunctionType(_DOUBLES, [_DOUBLES])
    square_root = _cgutils.get_or_insert_function(builder.module, kind, "llvm.sqrt.v4f64")
    return builder.call(square_root, [value])


@_emits(total, types.float64, _LANES)
def _total(builder: Any, value: Any) -> Any:
    a, b, c, d = (builder.extract_element(value, _INT(lane)) for lane in range(WIDTH))
    return builder.fadd(builder.fadd(a, b), builder.fadd(c, d))


@_emits(gather, _numba.UniTuple(_LANES, 2), _TABLE, _INDICES, types.int64, types.int64)
def _gather(builder: Any, table: Any, rows: Any, at: Any, column: Any) -> tuple[Any, Any]:
    columns = builder.extract_value(table.shape, 1)
    first = builder.gep(rows.data, [at])
    pairs = []
    for lane in range(WIDTH):
        row = builder.zext(builder.load(builder.gep(first, [_INT(lane)])), _LONG)
        start = builder.add(builder.mul(row, columns), column)
        pairs.append(builder.load(_place(builder, table, start, _PAIR), align=8))
    even = _shuffled(builder, pairs[0], pairs[2], 0, 1, 2, 3)
    odd = _shuffled(builder, pairs[1], pairs[3], 0, 1, 2, 3)
    return _shuffled(builder, even, odd, 0, 4, 2, 6), _shuffled(builder, even, odd, 1, 5, 3, 7)


def _mask(builder: Any, judged: Any, limit: Any) -> Any:
    """Say by the bits of an integer in which lanes something is at most its limit."""
    within = builder.fcmp_ordered("<=", judged, limit)
    return builder.zext(builder.bitcast(within, ir.IntType(judged.type.count)), _LONG)


@_emits(if_within, _LANES, _LANES, _LANES, _LANES)
def _if_within(builder: Any, value: Any, judged: Any, limit: Any) -> Any:
    within = builder.fcmp_ordered("<=", judged, limit)
    return builder.select(within, value, ir.Constant(_DOUBLES, [0.0] * WIDTH))


@_emits(count_within, types.int64, _LANES, _LANES)
def _count_within(builder: Any, judged: Any, limit: Any) -> Any:
    return builder.ctpop(_mask(builder, judged, limit))


_EIGHT_BYTES, _EIGHT_INTS, _EIGHT_SINGLES = (
    ir.VectorType(element, 8) for element in (ir.IntType(8), _INT, ir.FloatType())
)
_SET_BITS = ir.Constant.literal_array(
    [
        ir.Constant(_EIGHT_BYTES, (bits + [0] * 8)[:8])
        for bits in ([bit for bit in range(8) if mask >> bit & 1] for mask in range(256))
    ]
)


@_emits(
    append_near,
    types.int64,
    _INDICES,
    types.int64,
    _SINGLES,
    _SINGLES,
    _SINGLES,
    types.int64,
    _numba.UniTuple(types.float32, 3),
    types.float32,
)
def _append_near(
    builder: Any,
    found: Any,
    n: Any,
    x: Any,
    y: Any,
    z: Any,
    first: Any,
    center: Any,
    limit: Any,
) -> Any:
    squares = []
    for axis, array in enumerate((x, y, z)):
        points = builder.load(_place(builder, array, first, _EIGHT_SINGLES), align=4)
        apart = builder.fsub(points, _broadcast(builder, builder.extract_value(center, axis), 8))
        squares.append(builder.fmul(apart, apart))
    squared = builder.fadd(builder.fadd(squares[0], squares[1]), squares[2])
    mask = _mask(builder, squared, _broadcast(builder, limit, 8))
    # Which lanes are set, those in front, from a table by the mask.
    table = builder.module.globals.get("lanes.set") or _cgutils.global_constant(
        builder, "lanes.set", _SET_BITS
    )
    lanes = builder.zext(builder.load(builder.gep(table, [_LONG(0), mask])), _EIGHT_INTS)
    near = builder.add(lanes, _broadcast(builder, builder.trunc(first, _INT), 8))
    builder.store(near, _place(builder, found, n, _EIGHT_INTS), align=4)
    return builder.add(n, builder.ctpop(mask))
