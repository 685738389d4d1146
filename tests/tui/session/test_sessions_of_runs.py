"""A session saved under a run's weights opens under them again, on the real engine."""

import shutil
from pathlib import Path

import msgspec
import pytest

from gpttui import locations
from gpttui.runs import rundir
from gpttui.sessions.tree import OfRun, load_session
from gpttui.tui.screens.play import PlayScreen
from gpttui.tui.session.saving import weights_words
from tests.tui.training import training, weights


async def test_a_scrubbed_session_comes_back_under_its_checkpoint(tmp_path: Path, run: Path) -> None:
    async with training(tmp_path, model=str(run), prompt="the") as driven:
        await driven.until(lambda: driven.play.link.card is not None and driven.play.scrubber.display)
        driven.play.scrubber.focus()
        await driven.pilot.press("comma", "comma", "comma")
        await driven.until(lambda: weights(driven) == "checkpoint 10" and not driven.play.link.busy)
        await driven.pilot.press("ctrl+o")
        await driven.until(lambda: "Saved" in driven.text)
        assert "own weights" not in driven.text
        before = driven.play.link.snapshot
        driven.engine.die()
        await driven.until(lambda: driven.play.link.snapshot is not before and not driven.play.link.busy)
        assert weights(driven) == "checkpoint 10"
    (file,) = locations.sessions_dir().iterdir()
    session = load_session(file)
    assert (session.model, session.checkpoint, session.version) == (str(run), OfRun(str(run), 10), 2)
    async with training(tmp_path, model=session.model, session=session) as driven:
        await driven.until(lambda: "Your session is back" in driven.text and not driven.play.link.busy)
        again = driven.play.link.snapshot
        assert before is not None and again is not None and weights(driven) == "checkpoint 10"
        assert again.ids.tolist() == before.ids.tolist()
        assert again.surprisal_bits.tolist() == pytest.approx(before.surprisal_bits.tolist(), rel=1e-4, nan_ok=True)
        assert driven.play.scrubber.at == driven.play.loss.marker == 10
    shutil.rmtree(rundir.checkpoint_at(run, 10))
    async with training(tmp_path, model=session.model, session=session) as driven:
        await driven.until(lambda: "keeps no checkpoint of step 10" in driven.text)
        link = driven.play.link
        await driven.until(lambda: link.snapshot is not None and not link.busy)
        assert isinstance(driven.app.screen, PlayScreen) and "Its prompt opens alone" in driven.play.hints.line
        assert link.snapshot is not None and len(link.snapshot.ids) == link.snapshot.n_prompt and link.prompt == "the"
        await driven.until(lambda: any(plot.is_mounted for plot in driven.play.loss.query("CurvePlot")))


async def test_an_engine_that_died_comes_back_though_the_checkpoint_is_gone(tmp_path: Path, run: Path) -> None:
    async with training(tmp_path, model=str(run), prompt="the") as driven:
        await driven.until(lambda: driven.play.link.card is not None and driven.play.scrubber.display)
        driven.play.scrubber.focus()
        await driven.pilot.press("comma", "comma", "comma")
        await driven.until(lambda: weights(driven) == "checkpoint 10" and not driven.play.link.busy)
        before = driven.play.link.snapshot
        shutil.rmtree(rundir.checkpoint_at(run, 10))
        driven.engine.die()
        await driven.until(lambda: driven.play.link.snapshot is not before and not driven.play.link.busy)
        await driven.until(lambda: weights(driven) == "")
        after = driven.play.link.snapshot
        assert before is not None and after is not None
        assert after.ids.tolist() == before.ids.tolist() and driven.play.scrubber.at == 40
        assert driven.play.scrubber.notches == (0, 20, 30, 40)


async def test_live_weights_are_saved_as_the_newest_checkpoint(tmp_path: Path, run: Path) -> None:
    config = msgspec.structs.replace(rundir.read_config(run), steps=1_000_000, checkpoint_every=1_000_000)
    async with training(tmp_path, model=str(run), prompt="the") as driven:
        await driven.until(lambda: driven.play.link.card is not None)
        driven.play.training.start(config, tmp_path / "live", "the", driven.play.link.sampling, 0)
        await driven.until(lambda: driven.record.step > 2 and driven.record.checkpoints == (0,))
        driven.play.link.show()
        await driven.until(lambda: weights(driven).startswith("training step") and not weights(driven).endswith(" 0"))
        assert weights_words(driven.play.link).endswith("which is live: it opens with checkpoint 0, the newest saved")
        session = load_session(driven.play.save_now())
        assert (session.model, session.checkpoint) == (str(tmp_path / "live"), OfRun(str(tmp_path / "live"), 0))
