"""Options that several verbs share, so that they are spelled and explained once. Imports nothing but click."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_PLAYGROUND = (
    click.option("--model", metavar="ID|PATH|hub:OWNER/NAME", help="The model to open; `gpttui models` lists them."),
    click.option("--prompt", metavar="TEXT", help="The text to start from."),
    click.option("--seed", type=click.IntRange(min=0), help="Seed of all draws."),
    click.option("--train", metavar="FILE", help="Open the training screen on this text."),
    click.option("--session", metavar="FILE", help="Continue a session saved earlier."),
    click.option("--engine", metavar="COMMAND", help='How the engine is started, such as "ssh host gpttui engine".'),
)


def playground_options(command: F) -> F:
    """What the playground takes, both as `gpttui OPTIONS` and in `gpttui.cli.play.command`."""
    for option in reversed(_PLAYGROUND):
        command = option(command)
    return command


def model_option(command: F) -> F:
    """`--model`, resolved by the gallery; None means its default model."""
    return click.option("--model", metavar="ID|PATH|hub:OWNER/NAME", help="Default: the playground's own.")(command)


def session_option(command: F) -> F:
    """`--session`, as a path or None."""
    return click.option(
        "--session",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Go on behind the text of a session saved with ctrl+o: its model, settings and changes.",
    )(command)


def json_option(command: F) -> F:
    """`--json`, as the keyword `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="For machines to read.")(command)


def ablate_option(command: F) -> F:
    """`--ablate`, any number of times, as the keyword `ablate`: a tuple of texts for `gpttui.interventions.parse`."""
    return click.option(
        "--ablate",
        multiple=True,
        metavar="L.H",
        help="Silence a head (2.1: layer 2, head 1), a layer's 2.attn or 2.mlp, a neuron 2.mlp.37, an edge 2.1:5>3 from"
        " token 5 to token 3; :mean for the mean. All count from 1, as on the screen.",
    )(command)


def sampling_options(command: F) -> F:
    """`--seed`, `--temperature`, `--top-k`, `--top-p`, with the playground's defaults."""
    options = (
        click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of all draws."),
        click.option("--temperature", type=click.FloatRange(min=0), default=0.8, show_default=True, help="0: greedy."),
        click.option("--top-k", type=click.IntRange(min=0), default=0, show_default=True, help="0: all tokens."),
        click.option("--top-p", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="1: all tokens."),
    )
    for option in reversed(options):
        command = option(command)
    return command
