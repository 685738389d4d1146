"""Make the pictures in this folder: the real app, on the bundled models and SmolLM2, driven by its own keys.

    pip install -e '.[dev]' && python screenshots/make.py [NAME ...]

Each picture is Textual's own SVG export, drawn by resvg with Fira Code (package fonts-firacode) or DejaVu Sans Mono.
Those of SmolLM2 are made where it is on your shelf (`gpttui get smollm2`).
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
OWN_HOME = os.environ.get("GPTTUI_HOME")
os.environ |= {"COLORTERM": "truecolor", "TERM": "xterm-256color", "GPTTUI_HOME": tempfile.mkdtemp()}
os.environ.pop("NO_COLOR", None)

import resvg_py  # noqa: E402

from gpttui.engine import launch  # noqa: E402
from gpttui.engine.client import EngineClient  # noqa: E402
from gpttui.lessons import lesson  # noqa: E402
from gpttui.storage import gallery, getting  # noqa: E402
from gpttui.tui.app import GpttuiApp  # noqa: E402
from gpttui.tui.screens.play import Opening, PlayScreen  # noqa: E402

PATIENCE_S = 60.0
FONTS = ["/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", str(Path.home() / ".local/share/fonts")]
HAS_FIRA = any(True for folder in FONTS for _ in Path(folder).rglob("FiraCode*"))
MONOSPACE = "Fira Code" if HAS_FIRA else "DejaVu Sans Mono"


@dataclass(frozen=True)
class Shot:
    """One picture: terminal size, the keys that lead to it (`wait:N` waits N seconds), what it opens with."""

    size: tuple[int, int]
    keys: tuple[str, ...]
    model: str | None = None
    prompt: str | None = None
    theme: str = "gpttui-dark"
    settle_s: float = 1.0
    tour: str = ""
    """A chapter of the tour that is open."""


WIDE, NARROW = (120, 40), (80, 24)
STEPS = ("space",) * 16
KEY = "One Monday, Mia finds a drum in the kitchen. She puts the drum in the cupboard. Later, Mia looks in the"
LAST_LAYER = ("right_curly_bracket",) * 4
SMOLLM2, FRANCE = "smollm2", "The capital of France is"
SHOTS: dict[str, Shot] = {
    "playground": Shot(WIDE, STEPS),
    "playground-80x24": Shot(NARROW, STEPS),
    "playground-light": Shot(WIDE, STEPS, theme="gpttui-light"),
    "surprisal": Shot(WIDE, (*STEPS, "c")),
    "candidates": Shot(WIDE, (*STEPS, *"kkkkk", "p", "p", "2", "down")),
    "models": Shot(WIDE, ("m",)),
    "journey": Shot(WIDE, (*STEPS, "i", *("down",) * 6)),
    "walk": Shot(WIDE, ("f",) * 5, model="induction"),
    "compare": Shot(WIDE, ("w",)),
    "vectors": Shot(WIDE, ("space", "v"), prompt=KEY),
    "attention": Shot(WIDE, (*LAST_LAYER, "right_square_bracket", "a"), prompt=KEY),
    "neurons": Shot(WIDE, ("space", *LAST_LAYER, "n"), prompt=KEY),
    "layers": Shot(WIDE, ("space", *LAST_LAYER, "L"), prompt=KEY),
    "cost": Shot(WIDE, ("space", "C"), prompt=KEY, settle_s=4.0),
    "alter": Shot(WIDE, ("space", *LAST_LAYER, "A", "x", "X"), prompt=KEY),
    "branches": Shot(WIDE, (*STEPS, *("left",) * 9, "2", "down", "enter", *("space",) * 6, "b")),
    "painting": Shot(WIDE, ("space",) * 50, model="digits", prompt="digit 3:"),
    "speaking": Shot(WIDE, ("space",) * 25, model="say", prompt="say: seven ="),
    "training": Shot(WIDE, ("e", "wait:6", "enter", "wait:50")),
    "translation": Shot(WIDE, ("space",) * 8, model="translate", prompt="the red cat does not sleep. ="),
    "error": Shot(WIDE, ("E", "wait:8", "home", *("right",) * 17, "2"), prompt=KEY),
    "backwards": Shot(WIDE, ("E", "wait:8", "home", *("right",) * 17, "3", *("down",) * 4), prompt=KEY),
    "weights": Shot(
        WIDE, ("E", "wait:8", "4", "wait:3", "greater_than_sign", *("plus",) * 4), prompt=KEY, settle_s=4.0
    ),
    "tour-guess": Shot(
        WIDE,
        ("enter", "space", "wait:1", "enter", *("space",) * 5, "wait:1", "enter", "wait:2", "1"),
        tour="generative",
    ),
    "tour-attention": Shot(WIDE, ("enter", "a", "wait:2", "ctrl+n", *("right_square_bracket",) * 3), tour="attention"),
    "tour-training": Shot(WIDE, ("e", "wait:6", "enter", "wait:20", "enter", "wait:20"), tour="pretrained"),
    "tour-80x24": Shot(NARROW, ("v", "wait:2", "ctrl+n", "home", "right"), tour="vectors"),
    "smollm2": Shot(WIDE, ("right_curly_bracket",) * 29, model=SMOLLM2, prompt=FRANCE),
    "smollm2-attention": Shot(WIDE, ("space", "a"), model=SMOLLM2, prompt=FRANCE, settle_s=6.0),
    "smollm2-journey": Shot(WIDE, ("i", *("down",) * 6), model=SMOLLM2, prompt=FRANCE, settle_s=6.0),
    "help": Shot(WIDE, (*STEPS, "3", "question_mark")),
}


async def picture(shot: Shot) -> str:
    """The SVG of one shot."""
    path = gallery.find(shot.model)
    engine = EngineClient(launch.default_command(), Path(os.environ["GPTTUI_HOME"]) / "engine.log")
    tour = (lesson.chapters(), shot.tour) if shot.tour else None
    opening = Opening(str(path), shot.prompt, tour=tour)
    app = GpttuiApp(engine, opening, theme_name=shot.theme, animations=False)
    async with app.run_test(size=shot.size) as pilot:
        play = app.screen_stack[0]
        assert isinstance(play, PlayScreen)

        async def until(condition: Callable[[], bool]) -> None:
            async with asyncio.timeout(PATIENCE_S):
                while not condition():
                    await pilot.pause(0.02)

        await until(lambda: play.tokens.snapshot is not None)
        if shot.tour:
            await until(lambda: app.touring and app.tour._laid)
        for key, after in zip(shot.keys, (*shot.keys[1:], ""), strict=True):
            if key.startswith("wait:"):
                await pilot.pause(float(key.removeprefix("wait:")))
                continue
            await pilot.press(key)
            if not after.startswith("wait:"):
                await until(lambda: not play.link.busy)
        await pilot.pause(shot.settle_s)
        return app.export_screenshot(title="gpttui")


def own_smollm2() -> Path:
    """Where it lies on the shelf of whoever makes the pictures, who works in a home of their own."""
    kept = os.environ.pop("GPTTUI_HOME")
    if OWN_HOME is not None:
        os.environ["GPTTUI_HOME"] = OWN_HOME
    found = getting.place(SMOLLM2)
    os.environ["GPTTUI_HOME"] = kept
    return found


def main(names: list[str]) -> None:
    has_smollm2 = own_smollm2().exists()
    if has_smollm2:
        here = getting.place(SMOLLM2)
        here.parent.mkdir(parents=True, exist_ok=True)
        here.symlink_to(own_smollm2())
    for name in names or SHOTS:
        if SHOTS[name].model == SMOLLM2 and not has_smollm2:
            print(f"{name} stays as it is: `gpttui get smollm2` first")
            continue
        svg = asyncio.run(picture(SHOTS[name])).replace("Fira Code", MONOSPACE)
        png = resvg_py.svg_to_bytes(svg_string=svg, font_dirs=FONTS, monospace_family=MONOSPACE, zoom=1)
        (HERE / f"{name}.png").write_bytes(bytes(png))
        print(HERE / f"{name}.png")


if __name__ == "__main__":
    main(sys.argv[1:])
