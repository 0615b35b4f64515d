"""An option that takes one value is given once: of two, none is silently left out."""

from collections import Counter
from typing import Any

import typer
from typer.core import TyperGroup


class OnceGroup(TyperGroup):
    """Commands that refuse a repetition of what they take once."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that the first word names, and look through the others."""
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and not ctx.resilient_parsing:  # as where a shell completes
            _demand_once(command, rest, command.context_class(command, ctx, info_name=name))
        return name, command, rest


def _demand_once(command: Any, words: list[str], context: Any) -> None:
    _, _, given = command.make_parser(context).parse_args(list(words))
    for option, times in Counter(given).items():
        if times > 1 and not (option.multiple or option.is_flag):
            msg = f"{option.opts[0]} is given {times} times, and takes one value"
            raise typer.BadParameter(msg, context)
