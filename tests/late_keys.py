"""Random sequences of keys on an engine whose answers come late: how often a pane disagrees with its label."""

import asyncio
import random
from pathlib import Path

from gpttui.tui.app import GpttuiApp
from gpttui.tui.session.opening import Opening
from tests.fakes import tiny_model_dir
from tests.late_answers import LateEngine, disagreements, press
from tests.tui.pilot import Playground

SIZES = ((120, 40), (80, 24), (160, 50), (100, 30))
VIEWS = ("i", "w", "v", "a", "n", "L", "C", "A", "b")
EVERYWHERE = ("space", "left", "right", "up", "down", "backspace", "x", "X", "z", "tab", "escape", "home", "end",
              "left_square_bracket", "right_square_bracket", "left_curly_bracket", "right_curly_bracket", "comma",
              "full_stop", "U")  # fmt: skip
OF_VIEWS = ("E", "M", "0", "p", "P", "m", "u", "n", "enter", "F", "t", "T", "d", "g", "r", "f", "c", "plus")
PROMPTS = ("the cat sat", "the dog ate the log!", "A quick", "the mat. the mat. the mat.")


async def sequences(folder: Path, seed: int, count: int, keys: int = 12) -> list[str]:
    """What was wrong in `count` sequences of `keys` keys or a few more: each finding, its seed, the keys before it."""
    rng, engine = random.Random(seed), LateEngine(seed)
    path = tiny_model_dir(folder, name=f"model-{seed}", n_layer=3, n_head=2, seed=seed)
    app = GpttuiApp(engine, Opening(str(path), "the cat sat on the mat"), animations=False)
    wrong: list[str] = []
    async with app.run_test(size=rng.choice(SIZES)) as pilot:
        page = Playground(app, pilot, engine)  # type: ignore[arg-type]
        await page.opened()

        def at_rest() -> bool:
            page.play.link.stop()  # the key that runs may still be on its way
            return not page.play.link.busy

        for number in range(count):
            done: list[str] = []
            while len(done) < keys:
                burst = [
                    rng.choice(rng.choice((EVERYWHERE, EVERYWHERE, OF_VIEWS, VIEWS))) for _ in range(rng.randint(1, 6))
                ]
                done += burst
                press(app, *burst)
                if rng.random() < 0.1:
                    page.play.link.set_prompt(rng.choice(PROMPTS))
                    done.append("(prompt)")
                for _ in range(6):
                    await asyncio.sleep(rng.choice((0, 0.01, 0.03, 0.06)))
                    page.alive()
                    found = disagreements(app, engine)
                    wrong += [f"seed {seed}, sequence {number}: {one} after {' '.join(done)}" for one in found]
                if len(wrong) > 20:
                    return wrong
            await page.until(at_rest)
            await pilot.pause()
            wrong += [f"seed {seed}, at rest after {number}: {one}" for one in disagreements(app, engine)]
            page.play.link.alter(())
            if len(page.ids) > 24:
                page.play.link.home()
            press(app, "escape", "escape")
            await page.until(at_rest)
            engine.forget()
    return wrong
