"""What all commands have alike: a standard output that tells, and help that is whole."""

import sys
from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from glasscreep.campaign.once import OnceGroup
from glasscreep.campaign.standard_output import standard_output
from glasscreep.campaign.terminal import FAILED, telling_errors

NARROW = 60
"""Columns below which the frames around help would cut names of options."""


class Commands(OnceGroup):
    """The commands of the program."""

    def main(self, *words: Any, **how: Any) -> Any:
        """Do what the words say."""
        if (width := Console().width) < NARROW:
            self.context_settings["terminal_width"] = width
            for command in (self, *self.commands.values()):
                _make_plain(command)
        try:
            with telling_errors(), standard_output():
                return super().main(*words, **how)
        except BrokenPipeError:
            sys.exit(FAILED)
        except typer.Exit as ended:
            sys.exit(ended.exit_code)


def _make_plain(command: Any) -> None:
    """Have help printed without frames around it, and without markup."""
    command.rich_markup_mode = None
    command.help = Text.from_markup(command.help).plain
