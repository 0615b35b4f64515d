"""What help and documents say of commands is so."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from glasscreep.campaign.main import app
from glasscreep.tasks.failures import kind_of_text

ROOT = Path(__file__).parents[2]
GROUP = get_command(app)
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/*.toml")])
ENDS_A_COMMAND = {"|", "&&", ";", "&", ">"}
FEWEST_FIXED = 20
"""A message that a document shows has at least so many characters that a message always has."""


def examples_in(text: str | None) -> list[str]:
    """Find the commands that a help text gives as examples."""
    found = re.findall(r"\[bold\](glasscreep .*?)\[/\]", text or "", re.DOTALL)
    return [" ".join(words.split()) for words in found]


def commands_in(text: str) -> Iterator[list[str]]:
    """Yield the words of each command in fenced blocks and in backticks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    quoted = (" ".join(words.split()) for words in re.findall(r"`([^`]+)`", prose))
    for line in (*lines, *quoted, *re.findall(r": (glasscreep .*)", text)):
        if words := re.match(r"(?:\.venv/bin/)?glasscreep (?!=)(.*)", line):
            yield until_the_next(shlex.split(words[1], comments=True))


def until_the_next(words: list[str]) -> list[str]:
    """Leave out what a shell takes for another command."""
    ends = [at for at, word in enumerate(words) if word in ENDS_A_COMMAND]
    return words[: ends[0]] if ends else words


def parse_leniently(words: list[str]) -> None:
    """Refuse commands and options that there are not, and arguments too many; fewer will do."""
    command, context = GROUP, GROUP.context_class(GROUP)
    if not words[0].startswith("-"):
        assert words[0] in GROUP.commands, f"there is no command {words[0]}"
        command, words = GROUP.commands[words[0]], words[1:]
        context = command.context_class(command)
    _, left, _ = command.make_parser(context).parse_args(list(words))
    assert not left, f"{left} is too much"


@pytest.mark.parametrize("name", GROUP.commands)
def test_help_has_an_example_that_parses(name):
    command = GROUP.commands[name]
    found = examples_in(command.help)
    assert found, f"the help of {name} shows no example"
    for line in found:
        program, called, *arguments = shlex.split(line)
        assert (program, called) == ("glasscreep", name)
        command.make_context(name, arguments)
    shown = CliRunner().invoke(app, [name, "--help"])
    assert shown.exit_code == 0
    assert " ".join(found[0].split()[:3]) in " ".join(shown.output.split())


@pytest.mark.parametrize("columns", ["40", "60", "80"])
@pytest.mark.parametrize("name", [None, *GROUP.commands])
def test_help_is_whole_on_a_narrow_terminal(name, columns):
    command, words = (GROUP.commands[name], [name]) if name else (GROUP, [])
    done = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": columns})
    assert done.exit_code == 0
    assert max(map(len, done.output.splitlines())) <= int(columns)
    assert "…" not in done.output
    assert "[bold]" not in done.output
    for option in (one for one in command.params if one.param_type_name == "option"):
        assert set(option.opts) <= set(re.split(r"[\s,]+", done.output)), option.opts


@pytest.mark.parametrize("name", GROUP.commands)
def test_every_option_says_its_default_and_its_unit(name):
    (kinds,) = (
        get_type_hints(one.callback)
        for one in app.registered_commands
        if one.callback.__name__ == name
    )
    options = [one for one in GROUP.commands[name].params if one.param_type_name == "option"]
    for option in (one for one in options if not one.is_flag):
        has_default = option.required or isinstance(option.show_default, str) or option.default
        assert has_default, f"{option.opts[0]} says no default"
        if "float" in str(kinds[option.name]):
            assert re.search("in units of|[Ll]engths of", option.help), option.opts[0]


def test_help_of_all_shows_where_to_start():
    found = examples_in(GROUP.help)
    assert found
    for line in found:
        parse_leniently(shlex.split(line)[1:])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_of_documents_are_there(document):
    for words in commands_in(document.read_text()):
        parse_leniently(words)


@pytest.mark.parametrize(
    "words", ["nothing DIR", "status --deep DIR", "status DIR another", "query DIR strain --stress"]
)
def test_commands_that_are_not_there_are_found(words):
    (found,) = commands_in(f"Give `glasscreep {words}`.")
    with pytest.raises(Exception, match=r"no command|[Nn]o such option|too much|requires an"):
        parse_leniently(found)


def messages() -> Iterator["re.Pattern[str]"]:
    """Yield a pattern for each text in the code, with anything in the place of values."""
    for path in ROOT.glob("*/*.py"):
        if path.parent.name not in ("campaign", "tasks", "slurm"):
            continue
        nodes = list(ast.walk(ast.parse(path.read_text())))
        pieces = {
            id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values
        }
        for node in nodes:
            if id(node) in pieces:
                continue
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            fixed = [part.value if isinstance(part, ast.Constant) else None for part in parts]
            if sum(len(part) for part in fixed if isinstance(part, str)) >= FEWEST_FIXED:
                words = (".*" if part is None else re.escape(str(part)) for part in fixed)
                yield re.compile("".join(words), re.DOTALL)


def is_said(block: str, known: list["re.Pattern[str]"]) -> bool:
    """Tell whether the code says this, or LAMMPS as glasscreep knows it."""
    return any(pattern.search(block) for pattern in known) or kind_of_text(block) == "diverged"


def test_messages_of_trouble_are_those_of_the_code():
    page = (ROOT / "docs/trouble.md").read_text()
    blocks = re.findall(r"^```\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    shown = [block for block in blocks if not re.match(r"glasscreep|rm |mv ", block)]
    assert len(shown) > 15
    known = list(messages())
    for block in shown:
        assert is_said(block, known), f"no code says: {block}"
    assert not is_said("nothing is wrong, and here is a message that nobody wrote", known)
