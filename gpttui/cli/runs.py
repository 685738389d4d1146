"""`gpttui runs`: the training runs of a directory, one of them in detail, its steps as a table; from their files alone
(no torch)."""

from pathlib import Path

import click

from gpttui.cli.options import json_option, verb
from gpttui.cli.output import note, print_json, shown, table
from gpttui.errors import UserError


@verb()
@click.argument("words", nargs=-1, metavar="[DIRECTORY | show NAME | export NAME]")
@click.option("--config", "as_config", is_flag=True, help="With show: a file for `gpttui train --config`.")
@click.option("--to", "form", type=click.Choice(["csv"]), help="With export: what the steps are written as.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="With export: where to; else stdout.")
@json_option
def command(words: tuple[str, ...], as_config: bool, form: str | None, out: Path | None, as_json: bool) -> None:
    """List training runs, newest first: those in DIRECTORY, or in your own runs folder.

    \b
    gpttui runs show NAME                       one run
    gpttui runs show NAME --config > run.toml   trains the same again: gpttui train --config run.toml
    gpttui runs export NAME --to csv            loss, rate and gradient of every step
    """
    action = words[0] if words and words[0] in ("show", "export") else ""
    if len(words) > (2 if action else 1):
        raise click.UsageError(f"one run at a time: {shown(words[-1])} is too much")
    if action and len(words) == 1:
        raise click.UsageError(f"{action} needs the name of a run; `gpttui runs` lists them")
    if as_config and action != "show":
        raise click.UsageError("--config is for `gpttui runs show NAME`")
    if (form or out) and action != "export":
        raise click.UsageError("--to and --out are for `gpttui runs export NAME`")
    if action == "show":
        _show(words[1], as_config, as_json)
    elif action == "export":
        if form is None:
            raise click.UsageError("export needs --to csv")
        _export(words[1], out)
    else:
        _list(Path(words[0]) if words else None, as_json)


def _list(directory: Path | None, as_json: bool) -> None:
    from gpttui import locations
    from gpttui.runs import summary as run_summary

    if directory is not None and directory.exists() and not directory.is_dir():
        raise click.UsageError(f"{directory} is a file; runs are in a directory")
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


def _show(name: str, as_config: bool, as_json: bool) -> None:
    from gpttui.runs import config_file, rundir
    from gpttui.runs import summary as run_summary

    path = rundir.need(name)
    if as_config:
        config = rundir.read_config(path)
        if config.before or config.lr_scale != 1:
            note("its learning rate or its end was changed while it ran: the file begins it as if it had not been")
        click.echo(shown(config_file.to_toml(config), keep="\n"), nl=False)
        return
    info, recorded = run_summary.describe(path), run_summary.read(path)
    if as_json:
        print_json(info)
        return
    facts = [[field, shown(str(getattr(info, field)))] for field in info.__struct_fields__]
    facts += [[f"loss of {name}", f"{nats:.3f}"] for name, nats in recorded.baselines]
    click.echo("\n".join(table([["run", shown(str(path))], *facts])))


def _export(name: str, out: Path | None) -> None:
    import csv
    import io

    from gpttui.files import write_whole
    from gpttui.runs import rundir, steps_table

    path = rundir.need(name)
    rows = steps_table.rows(rundir.read_events(path))
    if not rows:
        raise UserError(f"{path.name} has recorded no steps")
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerows([steps_table.COLUMNS, *rows])
    if out is None:
        click.echo(written.getvalue(), nl=False)
    else:
        write_whole(out, written.getvalue())
        note(f"wrote {len(rows):,} steps to {out}")
