"""`gpttui bench`: speed on this machine, as ratios of things measured in turns within one run."""

import sys
from typing import TYPE_CHECKING

import click

from gpttui.cli.options import json_option, verb
from gpttui.cli.output import note, print_json, table

if TYPE_CHECKING:
    from gpttui.bench.report import Row

MARKS = {"aim": "✓✓", "at least": "✓", "missed": "✗", "": ""}


@verb()
@click.argument("what", type=click.Choice(["startup", "step", "train", "inside"]))
@click.option("--model", metavar="ID|PATH", help="Of startup, step and inside. Default: the playground's.")
@click.option(
    "--data", metavar="FILE", help="train: also race to 1.88 on this text. Default: tinyshakespeare, if fetched."
)
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True, help="Turns; medians are reported.")
@json_option
def command(what: str, model: str | None, data: str | None, rounds: int, as_json: bool) -> None:
    """Measure startup, a step, training, or the inside views; ✓✓ reaches the aim, ✓ the least, ✗ misses it."""
    measure = {"startup": _startup, "step": _step, "train": _train, "inside": _inside}[what]
    rows = measure(model, data, rounds)
    if as_json:
        listed = [
            {name: getattr(row, name) for name in row.__struct_fields__} | {"verdict": row.verdict} for row in rows
        ]
        print_json({"bench": what, "machine": _machine(), "rows": listed})
        return
    lines = [["", "measured", "", "against", "", "ratio", "least", "aim"]]
    for row in rows:
        theirs = "" if row.baseline_value is None else f"{row.baseline_value:.3g} {row.unit}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        goals = [f"{goal:g}" if goal is not None else "" for goal in (row.at_least, row.aim)]
        value = f"{row.value:.3g} {row.unit}"
        lines.append([MARKS[row.verdict], value, row.name, theirs, row.baseline, ratio, *goals])
    click.echo("\n".join(table(lines, right=frozenset({1, 3, 5, 6, 7}))))
    for row in rows:
        if row.note:
            note(f"{row.name}: {row.note}")


def _startup(model: str | None, data: str | None, rounds: int) -> "list[Row]":
    from gpttui.bench import startup
    from gpttui.storage import gallery

    return startup.measure_startup(str(gallery.find(model)), rounds=rounds)


def _step(model: str | None, data: str | None, rounds: int) -> "list[Row]":
    """The pty first: in this process torch and its threads are then not yet loaded."""
    from gpttui.bench import startup
    from gpttui.storage import gallery

    keys = startup.measure_keys(str(gallery.find(model)), keys=12 * rounds)
    from gpttui.bench import step

    return [*keys, *step.measure(repeats=rounds)]


def _train(model: str | None, data: str | None, rounds: int) -> "list[Row]":
    from gpttui.bench import train
    from gpttui.corpora import datasets

    if data is None:
        text = datasets.file_of(datasets.public_text("tinyshakespeare"))
        data = str(text) if text.exists() else None
        if data is None:
            note("no race to 1.88: `gpttui data tinyshakespeare` fetches its text")
    return train.measure(data, rounds=rounds, tell=_tell)


def _inside(model: str | None, data: str | None, rounds: int) -> "list[Row]":
    from gpttui.bench import inside
    from gpttui.storage import gallery

    return inside.measure(str(gallery.find(model)), rounds=rounds, tell=_tell)


def _tell(what: str) -> None:
    note(f"measuring {what}")


def _machine() -> dict[str, object]:
    import os
    import platform

    return {"platform": platform.platform(), "cores": os.cpu_count(), "python": sys.version.split()[0]}
