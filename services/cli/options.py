"""Values of options that click takes as they come and we do not: numbers that are none, keys that no header carries."""

from __future__ import annotations

import math
import re

import click

SENDABLE = re.compile(r"[!-~]*")


class Number(click.FloatRange):
    """A FloatRange without NaN and infinity: NaN lies within every range, as no comparison with it holds."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:  # FloatRange compares with the ends of the range, so what is no number is refused before
        try:
            finite = math.isfinite(float(str(value)))
        except ValueError:
            finite = True  # click says what it is
        if not finite:
            self.fail(f"{value} is no number to go by: give a finite one, as in 0.5", param, ctx)
        found: float = super().convert(value, param, ctx)
        return found


class SecretKey(click.ParamType):
    """An API key, as a header carries it. A key that is refused is not repeated: it may be one but for its end."""

    name = "key"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if not SENDABLE.fullmatch(text):
            self.fail(
                "a key is one word of visible ASCII characters, as in sk_…; this one has a space, a line's end or"
                " another character in it: copy it again as `sluicegate keys create` printed it",
                param,
                ctx,
            )
        return text


ANALYST_KEY = click.option(
    "--key",
    type=SecretKey(),
    metavar="KEY",
    envvar="SLUICEGATE_ANALYST_KEY",
    help="Key of `sluicegate keys create --analyst`.",
)
