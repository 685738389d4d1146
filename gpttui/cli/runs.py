"""`gpttui runs`: the training runs of a directory, from their files alone (no torch)."""

from pathlib import Path

import click

from gpttui.cli.options import json_option, verb
from gpttui.cli.output import note, print_json, shown, table


@verb()
@click.argument("directory", required=False, type=click.Path(path_type=Path, file_okay=False))
@json_option
def command(directory: Path | None, as_json: bool) -> None:
    """List training runs, newest first: those in DIRECTORY, or in your own runs folder."""
    from gpttui import locations
    from gpttui.runs import summary as run_summary

    root = directory or locations.runs_dir()
    runs, broken = run_summary.list_runs(root)
    for line in broken:
        note(line)
    if as_json:
        print_json(runs)
        return
    if not runs:
        if not broken:
            note(f"no runs in {root}; start one with `gpttui train --data FILE`")
        return
    rows = [["run", "status", "step", "loss", "validation", "best", "minutes", "data"]]
    for run in runs:
        losses = ("" if v is None else f"{v:.3f}" for v in (run.loss_nats, run.val_loss_nats, run.best_val_loss_nats))
        rows.append(
            [
                shown(run.name),
                run.status,
                f"{run.step}/{run.steps}",
                *losses,
                f"{run.elapsed_s / 60:.1f}",
                shown(run.data),
            ]
        )
    click.echo("\n".join(table(rows, right=frozenset({2, 3, 4, 5, 6}))))
