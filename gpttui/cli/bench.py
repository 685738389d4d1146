"""`gpttui bench`: speed on this machine, as ratios of things measured in turns within one run."""

import sys
from typing import TYPE_CHECKING

import click
import msgspec

from gpttui.cli.options import dtype_option, json_option, model_option, verb
from gpttui.cli.output import note, print_json, table

if TYPE_CHECKING:
    from gpttui.bench.report import Row
    from gpttui.inference.precision import Precision

MARKS = {"aim": "✓✓", "at least": "✓", "missed": "✗", "": ""}


@verb()
@click.argument("what", type=click.Choice(["step", "train", "real"]))
@click.option(
    "--data", metavar="FILE", help="train: also race to 1.88 on this text. Default: tinyshakespeare, if fetched."
)
@model_option
@dtype_option
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True, help="Turns; medians are reported.")
@json_option
def command(what: str, data: str | None, model: str | None, dtype: "Precision", rounds: int, as_json: bool) -> None:
    """Measure a step of generation, training, or a real model (--model): opening, stepping, looking into it.

    ✓✓ reaches the aim, ✓ the least, ✗ misses it.
    """
    if what == "real":
        rows = _real(model, dtype, rounds)
    else:
        rows = _step(rounds) if what == "step" else _train(data, rounds)
    report(what, rows, as_json)


def report(what: str, rows: "list[Row]", as_json: bool) -> None:
    """Print what was measured: a table, or one JSON document."""
    if as_json:
        listed = [msgspec.structs.asdict(row) | {"verdict": row.verdict} for row in rows]
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


def _step(rounds: int) -> "list[Row]":
    from gpttui.bench import step

    return step.measure(repeats=rounds)


def _real(model: str | None, dtype: "Precision", rounds: int) -> "list[Row]":
    from gpttui.bench import real
    from gpttui.storage import gallery

    return real.measure(gallery.find(model), dtype, rounds=rounds, tell=tell)


def _train(data: str | None, rounds: int) -> "list[Row]":
    from gpttui.bench import train
    from gpttui.corpora import datasets

    if data is None:
        text = datasets.file_of(datasets.public_text("tinyshakespeare"))
        data = str(text) if text.exists() else None
        if data is None:
            note("no race to 1.88: `gpttui data tinyshakespeare` fetches its text")
    return train.measure(data, rounds=rounds, tell=tell)


def tell(what: str) -> None:
    """Say on stderr what is being measured: a report takes minutes."""
    note(f"measuring {what}")


def _machine() -> dict[str, object]:
    import os
    import platform

    return {"platform": platform.platform(), "cores": os.cpu_count(), "python": sys.version.split()[0]}
