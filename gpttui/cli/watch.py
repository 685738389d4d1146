"""`gpttui watch RUN`: the training screen on a run that something else writes, live or finished."""

from pathlib import Path

import click

from gpttui.cli.options import verb
from gpttui.errors import UserError


@verb("watch")
@click.argument("run", metavar="RUN")
@click.option("--engine", metavar="COMMAND", help='How the engine is started, such as "ssh host gpttui engine".')
def command(run: str, engine: str | None) -> int:
    """Open the training screen on RUN: a run directory, or a name that `gpttui runs` lists."""
    from gpttui.cli.play import need_terminal, open_playground

    if (code := need_terminal("see `gpttui runs`")) is not None:
        return code
    return open_playground(None, None, None, engine, watch=str(found(run)))


def found(run: str) -> Path:
    """The run's directory. Raises UserError, naming those there are, where there is none."""
    from gpttui import locations
    from gpttui.runs import rundir
    from gpttui.runs import summary as run_summary

    for path in (Path(run).expanduser(), locations.runs_dir() / run):
        if rundir.is_run(path):
            return path.resolve()
    names = ", ".join(info.name for info in run_summary.list_runs(locations.runs_dir())[:8])
    here = f"those in your runs folder: {names}" if names else "`gpttui train` starts one"
    raise UserError(f"no run at {run}; {here}")
