"""`gpttui watch RUN`: the training screen on a run that something else writes, live or finished."""

import click

from gpttui.cli.options import verb


@verb("watch")
@click.argument("run", metavar="RUN")
@click.option("--engine", metavar="COMMAND", help='How the engine is started, such as "ssh host gpttui engine".')
def command(run: str, engine: str | None) -> int:
    """Open the training screen on RUN: a run directory, or a name that `gpttui runs` lists."""
    from gpttui.cli.play import need_terminal, open_playground
    from gpttui.runs import rundir

    if (code := need_terminal("see `gpttui runs`")) is not None:
        return code
    return open_playground(None, None, None, engine, watch=str(rundir.need(run)))
