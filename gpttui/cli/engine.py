"""`gpttui engine`: the process that computes, as the playground starts it. Also `--engine "ssh host gpttui engine"`."""

import gc
import sys
from pathlib import Path
from typing import Literal

import click

from gpttui.cli.options import dtype_option, verb


@verb("engine")
@click.option("--log", type=click.Path(path_type=Path), help="Append messages to this file instead of stderr.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1; auto: cuda if there is one.")
@click.option("--threads", type=click.IntRange(min=1), help="Default: every core but one.")
@dtype_option
def command(log: Path | None, device: str, threads: int | None, dtype: Literal["auto", "fp32", "bf16"]) -> None:
    """Serve a playground over stdin and stdout, until stdin ends."""
    if sys.stdin.isatty():
        raise click.UsageError("the engine speaks in frames, not with people; `gpttui` alone starts one for itself")
    gc.disable()  # torch's modules are millions of objects that stay: looking through them takes a fifth of the start
    from gpttui.engine.server import main

    gc.freeze()
    gc.enable()
    sys.exit(main(log=log, device=device, threads=threads, precision=dtype))
