"""`gpttui`: the playground. The first picture comes first: what it can do without is loaded when it stands.

That is the engine, which would take turns with the screen on few cores (its torch takes ten times as long as all of the
screen), numpy, the views; and garbage is not looked for among imports, which all stay.
"""

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gpttui.cli.options import playground_options, verb
from gpttui.errors import UserError
from gpttui.tui.late import load_late

if TYPE_CHECKING:
    from gpttui.lessons.lesson import Chapter
    from gpttui.sessions.tree import SessionFile

PAINTS_PER_S = "120"
"""At most, read by Textual when it is imported: what an answer changes follows what the key changed after 8 ms, not 17.
A screen on which nothing changes is not painted."""
COLLECT_EVERY = 10_000, 20, 1_000
"""The garbage collector's thresholds: all that lives is looked through when a view has been left, not before."""


@verb("play")
@playground_options
def command(
    model: str | None,
    prompt: str | None,
    seed: int | None,
    train: str | None,
    session: str | None,
    last: bool,
    dtype: str,
    engine: str | None,
) -> int:
    """Open the playground."""
    if last:
        from gpttui import locations

        if session is not None:
            raise click.UsageError("--last is a session of its own: leave out --session")
        if not locations.last_session_file().is_file():
            raise UserError("there is nothing to continue: --last opens what was open when you left the playground")
        session = str(locations.last_session_file())
    if session is not None and (prompt is not None or seed is not None or train is not None):
        raise click.UsageError("a session has its own prompt and seed: leave out --prompt, --seed and --train")
    saved = None
    if session is not None:
        from gpttui.sessions.tree import load_session

        saved = load_session(Path(session))
    if (code := need_terminal("use `gpttui generate`")) is not None:
        return code
    return open_playground(
        model, prompt, seed, engine, train=train, session=saved, session_file=session or "", dtype=dtype
    )


def need_terminal(instead: str) -> int | None:
    """None where there is a terminal to draw on; else the exit code, the reason told."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        click.echo(f"gpttui: the playground needs a terminal; without one {instead}", err=True)
        return 2
    if os.environ.get("TERM", "") in ("dumb", "unknown"):
        raise UserError(f"the terminal calls itself {os.environ['TERM']!r} and cannot move the cursor; {instead}")
    return None


def open_playground(
    model: str | None,
    prompt: str | None,
    seed: int | None,
    engine: str | None,
    *,
    train: str | None = None,
    watch: str | None = None,
    session: "SessionFile | None" = None,
    session_file: str = "",
    dtype: str = "auto",
    tour: "tuple[list[Chapter], str] | None" = None,
) -> int:
    """The playground until it is left; its exit code. `train`: a text for the form; `watch`: a run's directory."""
    gc.disable()  # until the first picture stands
    gc.set_threshold(*COLLECT_EVERY)
    from gpttui import locations, settings
    from gpttui.engine import launch

    chosen, notices = settings.load()
    remote = engine or chosen.engine
    words = launch.split_command(remote) if remote else launch.default_command()
    words += ["--dtype", dtype] if dtype != "auto" else []
    path = ""
    if session is not None:  # checked before the screen opens; of an engine elsewhere the screen will tell
        from gpttui.cli.sessions import session_model

        path = (model or session.model) if remote else str(session_model(session, model))
    launch.must_exist(words)
    os.environ.setdefault("TEXTUAL_FPS", PAINTS_PER_S)
    load_late("numpy")
    from gpttui.cli.leaving import Leaving

    leaving = Leaving()
    from gpttui.engine.client import EngineClient
    from gpttui.records import STAGES, Sampling
    from gpttui.storage import gallery
    from gpttui.tui.app import GpttuiApp
    from gpttui.tui.session.opening import Opening

    ref = model or watch or chosen.model or None
    path = path or (str(ref) if watch or (remote and ref) else str(gallery.find(ref)))
    sampling = Sampling(**{stage.field: getattr(chosen, stage.field, stage.off) for stage in STAGES})
    opening = Opening(
        path,
        prompt,
        sampling,
        chosen.seed if seed is None else seed,
        chosen.colour_mode,
        tuple(notices),
        train=train,
        watch=watch,
        numbers_rest_s=1 / chosen.numbers_per_s if chosen.slow_numbers else 0.0,
        run_per_s=chosen.run_per_s,
        session=session,
        session_file=session_file,
        tour=tour,
        offers_tour=not (tour or prompt or train or watch or session),
    )
    client = EngineClient(words, locations.engine_log_file())
    app = GpttuiApp(
        client,
        opening,
        theme_name=chosen.theme,
        keymap=chosen.keymap,
        animations=chosen.animations,
        colour_map=chosen.colour_map,
    )
    return leaving.run(app, client)
