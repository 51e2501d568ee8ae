"""What a mistyped command, option or choice was probably meant to be."""

from __future__ import annotations

from typing import Any

import click

from schemas.did_you_mean import did_you_mean


class SuggestingGroup(click.Group):
    """A group that names the commands most like one that it does not have."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchOption:
            raise
        except click.UsageError as error:
            error.message = error.message.rstrip(".") + did_you_mean(args[0], self.list_commands(ctx))
            raise


class SuggestingChoice(click.Choice[Any]):
    """The same choice, which names those most like a value that is none."""

    def __init__(self, choice: click.Choice[Any]) -> None:
        super().__init__(choice.choices, choice.case_sensitive)

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        said = super().get_invalid_choice_message(value, ctx).rstrip(".")
        return said + did_you_mean(str(value), map(str, self.choices))


def mistake(error: click.ClickException) -> str:
    """What a user did wrong, in a line."""
    if isinstance(error, click.NoSuchOption) and error.possibilities:
        return error.message + did_you_mean(error.option_name, error.possibilities)
    return error.format_message()
