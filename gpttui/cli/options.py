"""What verbs share: options that are spelled and explained once, and what an argument may be. Nothing but click.

A shell hands over any bytes. Text for a model (`GIVEN_TEXT`) may hold them all; what names a file, a model or a run has
to be UTF-8, as everything is that will carry the name: configs, events, messages to the engine.
"""

from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from gpttui.errors import UserError
from gpttui.text import is_utf8, safe_text, whole

F = TypeVar("F", bound=Callable[..., Any])


class GivenText(click.types.StringParamType):
    """Text for a model. Bytes that are not UTF-8 count as U+FFFD each, and a line on stderr says so."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text: str = super().convert(value, param, ctx)
        if stray := sum("\ud800" <= char <= "\udfff" for char in text):
            bytes_are = "1 byte of the text is" if stray == 1 else f"{stray:,} bytes of the text are"
            click.echo(f"gpttui: {bytes_are} not UTF-8; each counts as U+FFFD", err=True)
        return self.taken(text)

    def taken(self, text: str) -> str:
        return whole(text)


class GivenBytes(GivenText):
    """The same for who looks at the bytes: those that are not UTF-8 stay, as lone surrogates."""

    def taken(self, text: str) -> str:
        return text


GIVEN_TEXT, GIVEN_BYTES = GivenText(), GivenBytes()


class Utf8Command(click.Command):
    """A command whose arguments are UTF-8, but for text. Raises UserError, naming the argument, where one is not."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        left = super().parse_args(ctx, args)
        for parameter in self.get_params(ctx):
            value = ctx.params.get(parameter.name or "")
            for given in value if isinstance(value, tuple) else (value,):
                if isinstance(given, str | Path) and not (parameter.type is GIVEN_BYTES or is_utf8(str(given))):
                    name = parameter.opts[0] if isinstance(parameter, click.Option) else parameter.human_readable_name
                    raise UserError(f"{name} is not UTF-8: {safe_text(str(given))}; rename it, or name another")
        return left


verb = partial(click.command, cls=Utf8Command)
"""The decorator of every verb's command."""

dtype_option = click.option(
    "--dtype",
    type=click.Choice(["auto", "fp32", "bf16"]),
    default="auto",
    show_default=True,
    help="What the model is computed in. auto: float32, unless bfloat16 is clearly quicker here, or all that fits.",
)
"""`--dtype`, as `gpttui.inference.precision.Precision`."""

_PLAYGROUND = (
    click.option(
        "--model",
        metavar="MODEL",
        help="A model that `gpttui models` lists (ollama:NAME too), a run (RUN@STEP), a path, or hub:OWNER/NAME.",
    ),
    click.option("--prompt", metavar="TEXT", type=GIVEN_TEXT, help="The text to start from."),
    click.option("--seed", type=click.IntRange(min=0), help="Seed of all draws."),
    click.option("--train", metavar="FILE", help="Open the training screen on this text."),
    click.option("--session", metavar="FILE", help="Continue a session saved earlier."),
    click.option("--last", is_flag=True, help="Continue what was open when you last left."),
    dtype_option,
    click.option("--engine", metavar="COMMAND", help='How the engine is started, such as "ssh host gpttui engine".'),
)


def playground_options(command: F) -> F:
    """What the playground takes, both as `gpttui OPTIONS` and in `gpttui.cli.play.command`."""
    for option in reversed(_PLAYGROUND):
        command = option(command)
    return command


model_option = click.option(
    "--model", metavar="MODEL", help="A model's name, a run (RUN@STEP), a path or hub:OWNER/NAME."
)
"""`--model`, resolved by the gallery; None means its default model."""
session_option = click.option(
    "--session",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Go on behind the text of a session saved with ctrl+o: its model, settings and changes.",
)
"""`--session`, as a path or None."""
json_option = click.option("--json", "as_json", is_flag=True, help="For machines to read.")
"""`--json`, as the keyword `as_json`."""
ablate_option = click.option(
    "--ablate",
    multiple=True,
    metavar="L.H",
    help="Silence a head (2.1: layer 2, head 1), a layer's 2.attn or 2.mlp, a neuron 2.mlp.37, an edge 2.1:5>3 from"
    " token 5 to token 3; :mean for the mean. All count from 1, as on the screen.",
)
"""`--ablate`, any number of times, as the keyword `ablate`: a tuple of texts for `gpttui.interventions.parse`."""


_STAGES: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("logit-bias", {"multiple": True, "metavar": "TOKEN=NUMBER", "type": GIVEN_TEXT},
     "Add to the logit of a token, named by its number or its text; -100 bans it. Any number of times."),
    ("repetition-penalty", {"type": click.FloatRange(0.01, 100), "default": 1.0},
     "Divide the logits of tokens already in the text (prompt too); 1: off."),
    ("presence-penalty", {"type": click.FloatRange(-100, 100), "default": 0.0},
     "Subtract from the logits of tokens already in the text; 0: off."),
    ("frequency-penalty", {"type": click.FloatRange(-100, 100), "default": 0.0},
     "The same, times how often the token is there; 0: off."),
    ("temperature", {"type": click.FloatRange(min=0), "default": 0.8}, "Divide all logits by it; 0: greedy."),
    ("top-k", {"type": click.IntRange(min=0), "default": 0}, "Keep the k most probable; 0: all tokens."),
    ("top-p", {"type": click.FloatRange(0, 1), "default": 1.0}, "Keep the fewest whose mass reaches p; 1: all tokens."),
    ("min-p", {"type": click.FloatRange(0, 1), "default": 0.0},
     "Keep those with this share of the best one's probability; 0: all."),
)  # fmt: skip
"""In the order in which they are applied (`gpttui.records.STAGES`)."""
SAMPLING = tuple(name.replace("-", "_") for name, _, _ in _STAGES)
"""Fields of `gpttui.records.Sampling`."""


def bos_option(command: F) -> F:
    """`--no-bos`, as the keyword `bare`."""
    says = "Leave out the tokens that the tokenizer puts around a text."
    return click.option("--no-bos", "bare", is_flag=True, help=says)(command)


def sampling_options(command: F) -> F:
    """`--seed`, and the stages with the playground's defaults, together as the keyword `sampling`: a dict by field.

    Of `logit_bias` it has what was given (`gpttui.cli.given.biases`).
    """

    @wraps(command)
    def with_sampling(*args: Any, **kwargs: Any) -> Any:
        return command(*args, sampling={field: kwargs.pop(field) for field in SAMPLING}, **kwargs)

    wrapped: Any = with_sampling
    for name, how, says in reversed(_STAGES):
        wrapped = click.option(f"--{name}", show_default=not how.get("multiple"), help=says, **how)(wrapped)
    seed = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of all draws.")
    return cast(F, seed(wrapped))
