"""The language of `--where`: which runs are meant, said as an expression of their columns.

Nothing that a user writes is ever evaluated by Python. Its parser gives the tree; what is not one
of the few kinds of node below is refused.
"""

import ast
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.selection import close
from glasscreep.campaign.states import STATES
from glasscreep.tasks.spelling import did_you_mean

NUMBERS = ("temperature", "stress", "replica", "frames")
WORDS = ("state", "id")
LONGEST = 1000
"""Most characters of an expression."""
DEEPEST = 30
"""Most parentheses, negations and the like around one another."""
ALLOWED = (
    f"the columns {', '.join((*NUMBERS, *WORDS))}; numbers; words in quotes; "
    "== != < <= > >=, also chained; in [...], not in [...]; and, or, not; parentheses"
)

Mask = NDArray[np.bool_]
Comparison = Callable[[Any, Any], Mask]


class WhereError(RefusedError):
    """An expression that does not say which runs are meant."""


def _is_below(left: Any, right: Any) -> Mask:
    # What `==` takes for the same is not below.
    return np.asarray(np.less(left, right), np.bool_) & ~close(left, right)


COMPARISONS: dict[type[ast.cmpop], Comparison] = {
    ast.Eq: close,
    ast.NotEq: lambda left, right: ~close(left, right),
    ast.Lt: _is_below,
    ast.LtE: lambda left, right: ~_is_below(right, left),
    ast.Gt: lambda left, right: _is_below(right, left),
    ast.GtE: lambda left, right: ~_is_below(left, right),
}


def matching(runs: pd.DataFrame, expression: str) -> Mask:
    """Tell which runs an expression means.

    Parameters
    ----------
    runs : pandas.DataFrame
        With columns ``id``, ``temperature``, ``stress``, ``replica``, ``state`` and ``frames``.
    expression : str
        Such as ``stress > 0.3 and temperature == 0.1``; `ALLOWED` says what may stand in it.
        Numbers are the same if they differ by a relative 1e-9 at most, of which neither is then
        above or below the other.

    Returns
    -------
    (runs,) bool
        Whether each run is meant.

    Raises
    ------
    WhereError
        If anything else stands in it: shows where.
    """
    return _Reading(expression, runs).mask()


class _Reading:
    """Reads an expression against the columns of runs."""

    def __init__(self, expression: str, runs: pd.DataFrame) -> None:
        self._text = "".join(" " if char.isspace() else char for char in expression).strip()
        self._runs = runs

    def mask(self) -> Mask:
        if len(self._text) > LONGEST:
            msg = f"where has {len(self._text):,} characters, {LONGEST:,} at most are allowed"
            raise WhereError(msg)
        try:
            with warnings.catch_warnings(action="ignore"):  # of what is refused below
                tree = ast.parse(self._text, mode="eval")
        except SyntaxError as error:
            at = error.offset - 1 if error.offset else len(self._text)
            raise self._refused(at, f"this can't be read: {error.msg}") from error
        except (MemoryError, RecursionError) as error:
            raise self._refused(0, "this is nested too deeply") from error
        except ValueError as error:  # a zero byte, or a number of thousands of digits
            raise self._refused(0, f"this can't be read: {error}") from error
        return np.broadcast_to(self._condition(tree.body, 0), len(self._runs)).copy()

    def _condition(self, node: ast.expr, depth: int) -> Mask:
        self._demand_shallow(node, depth)
        if isinstance(node, ast.BoolOp):
            parts = [self._condition(value, depth + 1) for value in node.values]
            join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            return np.asarray(join.reduce(np.broadcast_arrays(*parts)), np.bool_)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ~self._condition(node.operand, depth + 1)
        if isinstance(node, ast.Compare):
            return self._comparison(node, depth + 1)
        if isinstance(node, ast.Name | ast.Constant):
            raise self._refused(node, "a comparison is missing, such as `stress > 0.3`")
        raise self._refused(node, f"{_named(node)} can't stand here")

    def _comparison(self, node: ast.Compare, depth: int) -> Mask:
        result = np.ones(1, bool)
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, ast.In | ast.NotIn):
                met = self._is_in(left, right, depth)
                result = result & (~met if isinstance(operator, ast.NotIn) else met)
            else:
                result = result & self._compared(left, operator, right, depth)
            left = right
        return result

    def _compared(self, left: ast.expr, operator: ast.cmpop, right: ast.expr, depth: int) -> Mask:
        if (compare := COMPARISONS.get(type(operator))) is None:
            raise self._refused(right, "`is` can't stand here: write ==")
        sides = self._value(left, depth), self._value(right, depth)
        words = [side.dtype == object for side in sides]
        if not any(words):
            return compare(*sides)
        if not all(words):
            raise self._refused(left, "a number is compared with a word")
        if not isinstance(operator, ast.Eq | ast.NotEq):
            raise self._refused(left, "of words == and != alone can be asked")
        self._demand_known_states(left, right)
        self._demand_known_states(right, left)
        same = np.asarray(sides[0] == sides[1], np.bool_)
        return ~same if isinstance(operator, ast.NotEq) else same

    def _is_in(self, left: ast.expr, right: ast.expr, depth: int) -> Mask:
        if not isinstance(right, ast.List | ast.Tuple):
            raise self._refused(right, "after `in` a list must stand, such as [0.1, 0.2]")
        none = np.zeros(1, bool)
        met = [self._compared(left, ast.Eq(), entry, depth + 1) for entry in right.elts]
        return np.asarray(np.logical_or.reduce(np.broadcast_arrays(none, *met)), np.bool_)

    def _value(self, node: ast.expr, depth: int) -> NDArray[Any]:
        self._demand_shallow(node, depth)
        if isinstance(node, ast.Name):
            return self._column(node)
        if isinstance(node, ast.Constant):
            return self._constant(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            negated = self._value(node.operand, depth + 1)
            if negated.dtype == object:
                raise self._refused(node, "a word has no sign")
            return -negated
        raise self._refused(node, f"{_named(node)} can't stand here")

    def _column(self, node: ast.Name) -> NDArray[Any]:
        if node.id in NUMBERS:
            return np.asarray(self._runs[node.id], np.float64)
        if node.id in WORDS:
            return np.asarray(self._runs[node.id], object)
        meant = did_you_mean(node.id, (*NUMBERS, *WORDS)) or "put words in quotes"
        raise self._refused(node, f"there is no column {node.id}; {meant}")

    def _constant(self, node: ast.Constant) -> NDArray[Any]:
        if isinstance(node.value, str):
            return np.array([node.value], object)
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise self._refused(node, f"{_named(node)} can't stand here")
        try:
            number = float(node.value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self._refused(node, "this number is too large")
        return np.array([number])

    def _demand_known_states(self, column: ast.expr, node: ast.expr) -> None:
        if not isinstance(column, ast.Name) or column.id != "state":
            return
        if isinstance(node, ast.Constant) and node.value not in STATES:
            meant = did_you_mean(str(node.value), STATES)
            why = f"a state is one of {', '.join(STATES)}" + (f"; {meant}" if meant else "")
            raise self._refused(node, why)

    def _demand_shallow(self, node: ast.expr, depth: int) -> None:
        if depth > DEEPEST:
            raise self._refused(node, f"this is nested more than {DEEPEST} deep")

    def _refused(self, where: ast.expr | int, why: str) -> WhereError:
        at = where if isinstance(where, int) else self._position(where)
        shown, mark = _around(self._text, at)
        msg = f"where: {why}\n  {shown}\n  {' ' * mark}^ column {at + 1}\nAllowed are {ALLOWED}."
        return WhereError(msg)

    def _position(self, node: ast.expr) -> int:
        """Count characters, where the parser counts bytes."""
        return len(self._text.encode()[: node.col_offset].decode(errors="ignore"))


NAMES = {
    ast.Call: "a call",
    ast.Attribute: "an attribute",
    ast.Subscript: "a subscript",
    ast.Lambda: "a lambda",
    ast.NamedExpr: "an assignment",
    ast.JoinedStr: "a formatted text",
    ast.BinOp: "a computation",
    ast.UnaryOp: "a sign or `~`",
    ast.IfExp: "a choice",
    ast.List: "a list",
    ast.Tuple: "a comma",
    ast.Constant: "a constant of another kind",
}


def _named(node: ast.expr) -> str:
    return NAMES.get(type(node), "this")


def _around(text: str, at: int, width: int = 70) -> tuple[str, int]:
    """Cut a long text to what is around a position."""
    start = max(0, min(at - width // 2, len(text) - width))
    shown = text[start : start + width]
    return "".join(char if char.isprintable() else "?" for char in shown), at - start
