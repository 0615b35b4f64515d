"""`where` means what Python's operators would, and lets nothing else in."""

import operator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasscreep.campaign.where import LONGEST, WhereError, matching

RUNS = pd.DataFrame(
    {
        "id": ["aa", "ab", "b0", "c1", "c2"],
        "temperature": [0.1, 0.1, 0.2, 0.30000000000000004, 0.4],
        "stress": [0.3, -0.5, 0.1 * 3, 0.0, 0.9],
        "replica": [0, 1, 2, 0, 1],
        "state": ["done", "new", "partial", "failed", "done"],
        "frames": [20, 0, 7, 3, 20],
    }
)
COLUMNS = ("temperature", "stress", "replica", "frames")


def ids(expression):
    return RUNS.loc[matching(RUNS, expression), "id"].tolist()


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("stress > 0.3 and temperature == 0.1", []),
        ("stress == 0.3", ["aa", "b0"]),
        ("stress >= 0.3", ["aa", "b0", "c2"]),
        ("stress > 0.3", ["c2"]),
        ("temperature == 0.3", ["c1"]),
        ("-0.5 <= stress < 0.3", ["ab", "c1"]),
        ("stress != 0.3", ["ab", "c1", "c2"]),
        ("0.1 < temperature <= 0.3 != stress", ["c1"]),
        ("temperature in [0.1, 0.4]", ["aa", "ab", "c2"]),
        ("temperature not in (0.1, 0.4)", ["b0", "c1"]),
        ("not (temperature == 0.1 or replica == 1)", ["b0", "c1"]),
        ("state == 'done'", ["aa", "c2"]),
        ('"done" != state', ["ab", "b0", "c1"]),
        ("state in ['new', 'failed']", ["ab", "c1"]),
        ("id == 'b0'", ["b0"]),
        ("id in []", []),
        ("frames >= 7 and frames < 20", ["b0"]),
        ("stress < -temperature", ["ab"]),
        ("1 < 2", ["aa", "ab", "b0", "c1", "c2"]),
        ("  stress > 0.3\n  or stress < 0\t", ["ab", "c2"]),
        ("state == 'new' and id == 'ü'", []),
    ],
)
def test_what_an_expression_means(expression, expected):
    assert ids(expression) == expected


@pytest.mark.parametrize(
    ("expression", "why", "column"),
    [
        ("open('x')", "a call can't stand here", 1),
        ("__import__('os').system('true') == 0", "a call can't stand here", 1),
        ("stress > 0.3 and print(1) == 1", "a call can't stand here", 18),
        ("stress.__class__ == 1", "an attribute can't stand here", 1),
        ("stress[0] > 1", "a subscript can't stand here", 1),
        ("(lambda: 1) == 1", "a lambda can't stand here", 2),
        ("(stress := 1) == 1", "an assignment can't stand here", 2),
        ("f'{stress}' == 'a'", "a formatted text can't stand here", 1),
        ("__builtins__ == 1", "there is no column __builtins__", 1),
        ("9**9**9 == 1", "a computation can't stand here", 1),
        ("stress + 1 > 2", "a computation can't stand here", 1),
        ("~stress == 1", "a sign or `~` can't stand here", 1),
        ("stress == 1 if True else 2", "a choice can't stand here", 1),
        ("[1 for _ in 'x'] == 1", "this can't stand here", 1),
        ("stress == True", "a constant of another kind can't stand here", 11),
        ("stress == None", "a constant of another kind can't stand here", 11),
        ("stress == 1j", "a constant of another kind can't stand here", 11),
        ("id == b'aa'", "a constant of another kind can't stand here", 7),
        ("stress is 1", "`is` can't stand here", 11),
        ("stress == 1e999", "this number is too large", 11),
        (f"stress == {'9' * 400}", "this number is too large", 11),
        ("stress in temperature", "after `in` a list must stand", 11),
        ("stress in [[1]]", "a list can't stand here", 12),
        ("stress == 'a'", "a number is compared with a word", 1),
        ("id < 'b'", "of words == and != alone can be asked", 1),
        ("-id == 'b'", "a word has no sign", 1),
        ("state == 'dnoe'", "a state is one of new, partial, done, failed", 10),
        ("state == 'faild'", "failed; did you mean failed?", 10),
        ("tempertature == 1", "column tempertature; did you mean temperature?", 1),
        ("stress", "a comparison is missing", 1),
        ("stress > 0 and temperature", "a comparison is missing", 16),
        ("id == 'ü' and strss > 1", "there is no column strss", 15),
        ("stress = 0.3", "this can't be read", 8),
        ("stress >", "this can't be read", 9),
        ("", "this can't be read", 1),
        ("stress > 1; import os", "this can't be read", 11),
        ("import os", "this can't be read", 1),
        ("stress > 1\0", "this can't be read", None),
        ("'\\N{nothing}' == id", "this can't be read", None),
        (f"stress == {'1' * 5000}", "5,010 characters", None),
        ("(" * 10_000 + "stress > 1" + ")" * 10_000, "20,010 characters", None),
        ("(" * 400 + "stress > 1" + ")" * 400, "this can't be read: too many nested", 201),
        ("not " * 200 + "stress > 1", "nested more than 30 deep", 125),
        ("-" * 900 + "1 == stress", "nested more than 30 deep", 31),
        ("stress in " + "[" * 150 + "]" * 150, "a list can't stand here", 12),
    ],
)
def test_all_else_is_refused_with_its_place(expression, why, column):
    with pytest.raises(WhereError) as caught:
        matching(RUNS, expression)
    told = str(caught.value)
    assert why in told
    if column is not None:
        assert f"^ column {column}\n" in told
        assert "Allowed are the columns temperature, stress, replica, frames, state, id;" in told


def test_the_caret_is_below_what_is_meant():
    with pytest.raises(WhereError) as caught:
        matching(RUNS, f"id == 'é' and {'stress > 0.1 or ' * 40} frob == 1")
    _, shown, caret, _ = str(caught.value).splitlines()
    assert shown[caret.index("^") :].startswith("frob == 1")
    assert len(shown) < 80


def test_control_characters_are_not_shown():
    with pytest.raises(WhereError) as caught:
        matching(RUNS, "id == '\x1b[31m' and frob == 1")
    assert "\x1b" not in str(caught.value)


told_values = st.sampled_from([0.1, 0.2, 0.3, 0.30000000000000004, 0.4, 0, 1, 2, 20, -0.5])
numbers = st.one_of(told_values, told_values, st.floats(-2, 2, allow_subnormal=False))
OPERATORS = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def told(number):
    return repr(number)


def same(one, other):
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other))


def compare(sign, one, other):
    """Compare two numbers, slowly and by itself."""
    if same(one, other):
        return sign in ("==", "<=", ">=")
    return OPERATORS[sign](one, other)


values = st.one_of(
    st.sampled_from(COLUMNS).map(lambda name: (name, lambda run: run[name])),
    numbers.map(lambda number: (told(number), lambda _: number)),
)


@st.composite
def comparisons(draw):
    first, *rest = draw(st.lists(values, min_size=2, max_size=4))
    signs = [draw(st.sampled_from(sorted(OPERATORS))) for _ in rest]
    text = first[0] + "".join(
        f" {sign} {value[0]}" for sign, value in zip(signs, rest, strict=True)
    )
    chain = [first, *rest]

    def holds(run):
        sides = [value[1](run) for value in chain]
        pairs = zip(signs, sides[:-1], sides[1:], strict=True)
        return all(compare(sign, one, other) for sign, one, other in pairs)

    return text, holds


@st.composite
def lists(draw):
    name, entries = draw(st.sampled_from(COLUMNS)), draw(st.lists(numbers, max_size=4))
    text = f"{name} in [{', '.join(map(told, entries))}]"
    return text, lambda run: any(same(run[name], entry) for entry in entries)


def joined(parts):
    def both(word, combine):
        return lambda pair: (
            f"({pair[0][0]}) {word} ({pair[1][0]})",
            lambda run: combine(pair[0][1](run), pair[1][1](run)),
        )

    pairs = st.tuples(parts, parts)
    return st.one_of(
        pairs.map(both("and", lambda one, other: one and other)),
        pairs.map(both("or", lambda one, other: one or other)),
        parts.map(lambda part: (f"not ({part[0]})", lambda run: not part[1](run))),
    )


@settings(max_examples=400)
@given(st.recursive(st.one_of(comparisons(), lists()), joined, max_leaves=6))
def test_as_python_would_run_by_run(expression):
    text, holds = expression
    if len(text) > LONGEST:
        return
    expected = [holds(run) for run in RUNS.to_dict("records")]
    np.testing.assert_array_equal(matching(RUNS, text), expected)


@given(st.text(max_size=60))
def test_no_text_does_more_than_be_refused(text):
    try:
        mask = matching(RUNS, text)
    except WhereError:
        return
    assert mask.shape == (len(RUNS),)
