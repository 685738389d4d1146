"""`gpttui doctor`: whether everything that gpttui stands on is there and works, in plain lines."""

import importlib.metadata
import os
import platform
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal, cast

import click
import msgspec

from gpttui import __version__
from gpttui.cli.options import json_option, verb
from gpttui.cli.output import note, print_json, size
from gpttui.errors import UserError, one_line

PACKAGES = ("torch", "textual", "rich", "tokenizers", "numpy", "safetensors", "msgspec", "click", "textual-plot")
OPTIONAL = {"scikit-learn": "the digits corpus"}
ENGINE_TIMEOUT_S = 120
MARKS = {"ok": "✓", "note": "·", "broken": "✗"}


class Check(msgspec.Struct, frozen=True):
    """One line of the report."""

    name: str
    state: Literal["ok", "note", "broken"]
    """`note`: not as it could be, but everything works."""
    detail: str


@verb()
@click.option("--clear-cache", is_flag=True, help="Let go of unpacked weights; they are made again when needed.")
@json_option
@click.pass_context
def command(ctx: click.Context, /, clear_cache: bool, as_json: bool) -> None:
    """Check the installation; exit 1 if something is broken."""
    from gpttui.text import safe_text

    if clear_cache:
        from gpttui.storage import unpacked

        note(f"{size(unpacked.clear(), 'B')} of unpacked weights cleared")
        return

    checks = []
    for examine in (_versions, _torch, _terminal, _settings, _locations, _unpacked, _models, _engine):
        for check in _guarded(examine):
            checks.append(check)
            if not as_json:
                click.echo(f"{MARKS[check.state]} {check.name}: {safe_text(check.detail)}")
    broken = sum(check.state == "broken" for check in checks)
    if as_json:
        print_json({"ok": not broken, "version": __version__, "checks": checks})
    else:
        click.echo(f"\n{broken} broken" if broken else "\nall well")
    ctx.exit(1 if broken else 0)


def _guarded(examine: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """A check that fails in a way nobody foresaw is a finding like any other."""
    try:
        yield from examine()
    except Exception as error:
        yield Check(examine.__name__.strip("_"), "broken", f"{type(error).__name__}: {one_line(error)}")


def _versions() -> Iterator[Check]:
    yield Check("gpttui", "ok", f"{__version__}, Python {platform.python_version()}, {platform.platform()}")
    found = {name: _version(name) for name in (*PACKAGES, *OPTIONAL)}
    yield Check("packages", "ok", ", ".join(f"{name} {found[name]}" for name in PACKAGES if found[name]))
    if missing := [name for name in PACKAGES if not found[name]]:
        yield Check("packages", "broken", f"missing: {', '.join(missing)}; install gpttui-playground again")
    for name, what in OPTIONAL.items():
        said = found[name] or f"not installed; only {what} needs it"
        yield Check(name, "ok" if found[name] else "note", said)


def _version(package: str) -> str:
    """Empty where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _torch() -> Iterator[Check]:
    try:
        import torch

        from gpttui.inference.opening import usable_cores
    except (ImportError, OSError) as error:
        yield Check("torch", "broken", f"cannot be imported: {one_line(error)}")
        return
    total = float((torch.eye(3) @ torch.ones(3)).sum())
    state: Literal["ok", "broken"] = "ok" if total == 3 else "broken"
    threads = f"{torch.get_num_threads()} threads on {usable_cores()} cores"
    yield Check("torch", state, f"{torch.__version__} computes; {threads}")
    devices = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        devices.append("mps")
    yield Check("devices", "ok", ", ".join(["cpu", *devices]))


def _terminal() -> Iterator[Check]:
    from rich.console import Console

    columns, rows = shutil.get_terminal_size()
    where = "a terminal" if sys.stdout.isatty() else "not a terminal here"
    colours = Console(force_terminal=True).color_system or "none"
    named = " ".join(f"{name}={os.environ[name]}" for name in ("TERM", "COLORTERM", "NO_COLOR") if name in os.environ)
    yield Check("terminal", "ok", f"{where}, {columns}x{rows}, colours {colours} ({named or 'no TERM set'})")
    if (columns < 80 or rows < 24) and sys.stdout.isatty():
        yield Check("terminal", "note", "below 80x24 only one pane fits")
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    if encoding != "utf8":
        yield Check("terminal", "note", f"output is {sys.stdout.encoding}, not UTF-8; set LANG=C.UTF-8 or the like")


def _settings() -> Iterator[Check]:
    from gpttui import locations, settings

    _, notices = settings.load()
    for notice in notices:
        yield Check("settings", "note", notice)
    if not notices:
        there = "read" if locations.settings_file().exists() else "all at their defaults"
        yield Check("settings", "ok", f"{locations.settings_file()}: {there}")


def _locations() -> Iterator[Check]:
    from gpttui import locations

    for name, place in locations.all_locations().items():
        if name == "settings":
            continue
        can_write = os.access(next(path for path in (place, *place.parents) if path.exists()), os.W_OK)
        detail = str(place) if can_write else f"{place} cannot be written; gpttui runs, but keeps nothing there"
        yield Check(f"place for {name}", "ok" if can_write else "note", detail)


def _unpacked() -> Iterator[Check]:
    from gpttui.storage import unpacked

    held, limit = size(unpacked.kept_bytes(), "B"), size(unpacked.limit_bytes(), "B")
    how = "`gpttui doctor --clear-cache` clears them, the setting unpacked_gb limits them"
    yield Check("unpacked weights", "ok", f"{held} of at most {limit}; {how}")


def _models() -> Iterator[Check]:
    from gpttui.storage import gallery

    found = gallery.directories()
    if not any(path.parent == gallery.bundled_dir() for path in found.values()):
        yield Check("models", "broken", f"no bundled model under {gallery.bundled_dir()}; install again")
    for name, path in found.items():
        yield _model(name, path)


def _model(name: str, path: Path) -> Check:
    from gpttui.storage import gallery
    from gpttui.tokenizers import Tokenizer

    try:
        card = gallery.card(path)
        checksum = gallery.verify(path)
        vocab_size = Tokenizer.open(path).vocab_size
    except UserError as error:
        return Check(f"model {name}", "broken", str(error))
    if vocab_size > card.vocab_size:
        return Check(f"model {name}", "broken", f"{path}: its tokenizer has {vocab_size} tokens, it {card.vocab_size}")
    verified = "checksum ok" if checksum == "ok" else checksum
    return Check(f"model {name}", "ok", f"{size(card.params)} parameters, {size(card.size_bytes, 'B')}, {verified}")


def _engine() -> Iterator[Check]:
    """Starts an engine the way the playground does and waits for its first words."""
    from gpttui.engine import launch
    from gpttui.protocol.frames import decode_reply, read_frame
    from gpttui.protocol.message import EngineInfo

    child = launch.start(launch.default_command(), None)
    timer = threading.Timer(ENGINE_TIMEOUT_S, child.kill)
    timer.start()
    try:
        body = read_frame(cast(BinaryIO, child.stdout))
        info = decode_reply(body).answer if body else None
        if child.stdin:
            child.stdin.close()
        code = child.wait()
    finally:
        timer.cancel()
        child.kill()
        child.wait()
        if child.stdout:
            child.stdout.close()
    if isinstance(info, EngineInfo) and code == 0:
        detail = f"ready after {info.started_ms / 1e3:.1f} s on {info.device}, {info.threads} threads; ends when asked"
        yield Check("engine", "ok", detail)
    else:
        yield Check("engine", "broken", f"did not start as it should (exit {code}); try `gpttui engine < /dev/null`")
