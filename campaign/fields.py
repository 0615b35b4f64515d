"""Kinds of value that a campaign file may hold, each with the words for what is allowed."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from glasscreep.tasks.registry import BUILT_IN

LARGEST_COUNT = 2**53
"""Up to here every whole number written as a float, such as `1e7`, means itself."""
LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a key may hold, in words; the last one given to a key counts."""

    text: str
    """A phrase that follows "allowed:"."""


def whole(value: Any) -> Any:
    """Turn a float without a fraction, as in `1e7`, into the integer that it means."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def unsigned_zero(value: Any) -> Any:
    """Turn -0.0 into 0.0: two spellings of one number must be one point."""
    return value + 0.0 if isinstance(value, float) else value


def several(value: Any) -> Any:
    """Let one value stand for a list of one."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def as_tuple(value: Any) -> Any:
    """Let a TOML array be a tuple."""
    return tuple(value) if isinstance(value, list) else value


def names_no_path(words: str) -> str:
    """Refuse words of a LAMMPS command that lead to a file elsewhere."""
    if any(word.startswith("/") or ".." in word for word in words.split()):
        msg = "a path to another folder"
        raise ValueError(msg)
    return words


def known_result(name: str) -> str:
    """Refuse the name of a result that there is not."""
    if name not in BUILT_IN:
        msg = f"there is no result {name}"
        raise ValueError(msg)
    return name


Count = Annotated[
    int,
    BeforeValidator(whole),
    Field(ge=1, le=LARGEST_COUNT),
    Allowed("a whole number from 1 up; 1e7 is one too"),
]
Seed = Annotated[
    int,
    BeforeValidator(whole),
    Field(ge=0, le=LARGEST_SEED),
    Allowed("a whole number from 0 to 2^63 - 1"),
]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), Allowed("a finite number above 0")]
Finite = Annotated[
    float,
    BeforeValidator(unsigned_zero),
    Field(allow_inf_nan=False),
    Allowed("a finite number"),
]
Fraction = Annotated[float, Field(gt=0, lt=1), Allowed("a number between 0 and 1, both excluded")]
Positives = Annotated[
    tuple[Positive, ...],
    BeforeValidator(several),
    Field(min_length=1),
    Allowed("a finite number above 0, or a list of such"),
]
Finites = Annotated[
    tuple[Finite, ...],
    BeforeValidator(several),
    Field(min_length=1),
    Allowed("a finite number, or a list of such"),
]
Intervals = Annotated[tuple[Count, ...], BeforeValidator(several)]
Counts = Annotated[
    tuple[Count, ...],
    BeforeValidator(several),
    Field(min_length=1),
    Allowed("a whole number from 1 up, or a list of such"),
]
ResultNames = Annotated[
    tuple[Annotated[str, AfterValidator(known_result)], ...],
    BeforeValidator(several),
    Allowed(f"names out of {', '.join(BUILT_IN)}"),
]
Name = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"),
    Allowed("up to 100 of A-Z, a-z, 0-9, '.', '_' and '-', the first a letter or a digit"),
]
