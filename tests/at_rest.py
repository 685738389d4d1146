"""When an app that a test drives is at rest: its event loop has nothing left to do, and all is painted.

Textual's pilot asks the clock instead: a process that has used little time of late is taken to be at rest, which on a
busy machine is also what one looks like that is not let run.
"""

import asyncio
from time import monotonic
from typing import Any

import textual.app
import textual.pilot
from textual._context import active_app

QUIET_TURNS = 3
"""Turns of the loop with nothing but this in them."""


async def at_rest(min_sleep: float = 0, max_sleep: float = 1) -> None:
    """Wait until nothing is ready to run and no key waits for its turn (`InTurnApp`), though for no longer than
    `max_sleep` seconds: a clock may tick for ever.

    What waits to be painted or to be told of a new size is, as timers of Textual would within a sixtieth of a second.
    """
    loop: Any = asyncio.get_running_loop()
    app: Any = active_app.get()
    end_s, quiet = monotonic() + max_sleep, 0
    await asyncio.sleep(min_sleep)
    while quiet < QUIET_TURNS and monotonic() < end_s:
        keys = getattr(app, "_coming", ())
        await asyncio.sleep(0.001 if keys else 0)
        quiet = 0 if loop._ready or keys or _brought_on(app) else quiet + 1


def _brought_on(app: Any) -> bool:
    """Bring the app's size up to date, and what its screen paints, if there is anything to it.

    What cannot be painted ends the app, as always."""
    if app._exception is not None or not app._screen_stack:
        return False
    if app._resize_timer is not None:
        app._check_resize()
        return True
    screen = app._screen_stack[-1]
    if not screen.is_running or not screen._update_timer._active.is_set():
        return False
    try:
        screen._on_timer_update()
    except Exception as error:
        app._handle_exception(error)
    return True


def teach_the_pilot() -> None:
    """From now on Textual waits so."""
    textual.app.wait_for_idle = textual.pilot.wait_for_idle = at_rest
