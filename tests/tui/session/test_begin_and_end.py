"""The token before a text and the one that ends it, on the real engine: seen, switched, saved, and told."""

from pathlib import Path

from gpttui import locations
from gpttui.records import Sampling
from gpttui.sessions.tree import load_session
from gpttui.tokenizers import Tokenizer
from tests.begun import PROMPT, begun, greedy
from tests.tui.training import training

GREEDY = Sampling(temperature=0)


async def test_the_first_token_is_seen_switched_off_and_saved_so(tmp_path: Path, home: Path) -> None:
    path = begun(tmp_path)
    tokenizer = Tokenizer.open(path)
    async with training(tmp_path, model=str(path), prompt=PROMPT) as driven:
        link, tokens = driven.play.link, driven.play.tokens
        await driven.until(lambda: link.snapshot is not None and not link.busy)
        assert link.snapshot is not None and link.snapshot.ids.tolist() == tokenizer.prompt(PROMPT)
        assert "<s>" in driven.text
        await driven.pilot.press("I")
        await driven.until(
            lambda: link.snapshot is not None and len(link.snapshot.ids) == len(tokenizer.encode(PROMPT))
        )
        await driven.until(lambda: tokens.tokenizer is not None and tokens.tokenizer.is_bare)
        await driven.until(lambda: "<s>" not in driven.text)
        await driven.pilot.press("space")
        await driven.until(lambda: link.snapshot is not None and len(link.snapshot.ids) > link.snapshot.n_prompt)
        await driven.pilot.press("ctrl+o")
        await driven.until(lambda: "Saved" in driven.text)
        before = link.snapshot
        driven.engine.die()
        await driven.until(lambda: link.snapshot is not before and not link.busy)
        assert link.snapshot is not None and before is not None
        assert link.snapshot.ids.tolist() == before.ids.tolist() and link.bare
    (file,) = locations.sessions_dir().iterdir()
    session = load_session(file)
    assert session.bare
    async with training(tmp_path, model=session.model, session=session) as driven:
        await driven.until(lambda: "Your session is back" in driven.text and not driven.play.link.busy)
        again = driven.play.link.snapshot
        assert again is not None and again.ids.tolist() == before.ids.tolist()
        await driven.pilot.press("I")
        await driven.until(lambda: driven.play.link.snapshot is not again and not driven.play.link.busy)
        assert driven.play.link.snapshot is not None
        assert driven.play.link.snapshot.ids.tolist() == tokenizer.prompt(PROMPT)


async def test_running_ends_where_the_model_ends_and_says_so(tmp_path: Path, home: Path) -> None:
    path = begun(tmp_path)
    free = greedy(path, 8)
    end = next(n for n, token_id in enumerate(free) if n >= 2 and token_id not in free[:n])
    path = begun(tmp_path, ends=free[end])
    async with training(tmp_path, model=str(path), prompt=PROMPT) as driven:
        link = driven.play.link
        await driven.until(lambda: link.snapshot is not None and not link.busy)
        link.set_sampling(GREEDY)
        await driven.until(lambda: link.snapshot is not None and link.snapshot.sampling == GREEDY)
        await driven.pilot.press("g")
        await driven.until(lambda: link.snapshot is not None and link.snapshot.ended and not link.busy)
        assert not link.running and link.snapshot is not None
        assert link.snapshot.ids[link.snapshot.n_prompt :].tolist() == free[: end + 1]
        await driven.until(lambda: "The model has ended its text with" in driven.play.hints.line)
        await driven.pilot.press("space")
        await driven.until(lambda: "has ended its text here" in driven.play.hints.line)
        assert link.snapshot.ids[link.snapshot.n_prompt :].tolist() == free[: end + 1]
        await driven.pilot.press("left", "space")
        await driven.until(lambda: "The model has ended its text with" in driven.play.hints.line)
