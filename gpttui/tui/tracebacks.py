"""Where a traceback goes when something unexpected happens: into a file, never onto the screen. Standard library only.

For: the command line and the app, whose last words name the file. Not for: errors a person can mend (`UserError`).
"""

import sys
import time
import traceback

from gpttui import __version__, locations
from gpttui.errors import one_line


def keep(error: BaseException) -> str:
    """Write the traceback to the log folder. The words that say where it is, or why it could not be kept."""
    text = "".join(traceback.format_exception(error))
    try:
        folder = locations.log_dir()
        folder.mkdir(parents=True, exist_ok=True)
        stem = f"traceback-{time.strftime('%Y%m%d-%H%M%S')}"
        names = (f"{stem}.txt", *(f"{stem}-{n}.txt" for n in range(2, 100)))
        file = next(folder / name for name in names if not (folder / name).exists())
        file.write_text(f"gpttui {__version__}, Python {sys.version}\n{sys.argv}\n\n{text}", encoding="utf-8")
        return f"the traceback is in {file}"
    except (OSError, StopIteration) as failure:
        return f"its traceback could not be kept: {one_line(failure)}"
