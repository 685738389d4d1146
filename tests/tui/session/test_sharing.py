"""A session saved and opened again is the same screen; the command told works; panes are written as they are."""

import csv
import json
import shlex
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from gpttui import locations
from gpttui.errors import UserError
from gpttui.interventions import AblateHead, AblateNeuron, AblatePart, Intervention, Steer
from gpttui.records import Snapshot
from gpttui.sessions.tree import load_session
from gpttui.tui.app import GpttuiApp
from gpttui.tui.selection import Selection
from gpttui.tui.session.opening import Opening
from gpttui.tui.session.pairs import TwoTexts
from gpttui.tui.session.remembered import FROM_FILE, kept_plain, take_up
from gpttui.tui.session.saving import free_file
from gpttui.tui.session.share_dialogs import RecipeScreen
from gpttui.tui.views import table as views
from tests.fakes import tiny_model_dir
from tests.tui.engine_inside import EngineInside
from tests.tui.opening import again, opened
from tests.tui.pilot import Playground, exported, playground


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def only(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def facts(snapshot: Snapshot | None) -> dict[str, Any]:
    """All of a snapshot but what differs from run to run."""
    assert snapshot is not None and snapshot.prediction is not None
    whole = {name: getattr(snapshot, name) for name in Snapshot.__slots__ if name not in ("epoch", "elapsed_ms")}
    del whole["attention"]  # rows that the screen holds already are not sent again
    held = whole.pop("prediction")
    return whole | {f"prediction.{name}": getattr(held, name) for name in type(held).__slots__}


def same(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert a.keys() == b.keys()
    for name, value in a.items():
        if isinstance(value, np.ndarray):
            np.testing.assert_allclose(value, b[name], rtol=1e-4, atol=1e-5, err_msg=name)
        elif isinstance(value, float):
            assert value == pytest.approx(b[name], rel=1e-4, nan_ok=True), name
        elif name in ("last_draw", "prediction.draw") and value is not None:
            assert (value.token_id, value.picked) == (b[name].token_id, b[name].picked)
            numbers = [[draw.uniform, draw.low, draw.high] for draw in (value, b[name])]
            np.testing.assert_allclose(*numbers, rtol=1e-4, atol=1e-5)
        elif name != "prediction.cuts":
            assert value == b[name], name


async def test_a_saved_session_opens_to_the_same_screen(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await page.press(
            "space", "T", "space", "K", "x", "right_curly_bracket", "X", "2", "down", "enter", "space", "c"
        )
        await page.press("comma", "comma", "right_square_bracket", "B", "3")
        before, shown = facts(page.play.link.snapshot) | page.play.attention.table(), page.text
        await page.press("ctrl+o")
        assert "Saved" in page.text and "sessions" in page.text
        await page.press("ctrl+o")
        session = load_session(only(locations.sessions_dir()))
    assert session.position >= 0 and (session.layer, session.head) == (1, 1) and len(session.interventions) == 2
    async with again(session) as page:
        same(before, facts(page.play.link.snapshot) | page.play.attention.table())
        assert page.play.link.picked == session.picked and any(session.picked)
        assert "ALTERED" in page.text
        assert page.play.tokens.colour_mode == "surprisal"
        assert page.play.deck.current is page.play.attention
        tree = page.play.link.trail.tree
        assert [node.bookmark for node in tree.bookmarks] == ["1"] and len(tree) == len(session.branches)
        square = shown.splitlines()[5:-3]
        assert page.text.splitlines()[5:-3] == square


async def test_a_view_comes_back_with_its_pane(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await page.press("space", "v", "tab", "left", "ctrl+o", "escape")
        position = page.play.selection.position
        assert position >= 0
    session = load_session(only(locations.sessions_dir()))
    async with again(session) as page:
        await page.until(lambda: page.app.screen is not page.play)
        screen = page.app.screen
        await page.until(lambda: screen.focused is not None and screen.focused.id == session.view["focus"])
        assert getattr(screen, "VIEW", "") == "vectors" and page.play.selection.position == position
        await page.press("escape", "space")
        assert len(page.ids) == len(session.appended) + page.play.link.snapshot.n_prompt + 1  # type: ignore[union-attr]


@pytest.mark.parametrize("keys", [("w", "escape"), ("L", "p"), ("v",), ("space", "X")])
async def test_what_is_saved_and_then_told_as_a_command_is_one_file(tmp_path: Path, keys: tuple[str, ...]) -> None:
    async with opened(tmp_path) as page:
        await page.press(*keys, "ctrl+o", "R")
        assert isinstance(page.app.screen, RecipeScreen)
        file = only(locations.sessions_dir())
        await page.press("escape", "space", "ctrl+o")
        assert len(list(locations.sessions_dir().iterdir())) == 2 and file.exists()


async def test_a_session_of_another_model_is_told_when_the_engine_is_elsewhere(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await page.press("space", "ctrl+o")
    session = load_session(only(locations.sessions_dir()))
    other = msgspec.structs.replace(session, params=session.params + 1)
    async with again(other) as page:
        assert "parameters" in page.text and "--model" in page.text


CHANGES = [AblateHead(77, 0), AblateHead(0, 77), AblatePart(77, "mlp"), AblateNeuron(0, 777777), Steer(77, "a", "b")]


@pytest.mark.parametrize("change", CHANGES)
async def test_a_file_that_changes_what_the_model_lacks_is_named_and_its_prompt_opens(
    tmp_path: Path, change: Intervention
) -> None:
    async with opened(tmp_path, prompt="the dog") as page:
        await page.press("space", "space", "T", "ctrl+o")
    file = only(locations.sessions_dir())
    session = load_session(file)
    async with again(msgspec.structs.replace(session, interventions=[change]), file=str(file)) as page:
        said = page.play.hints.line
        assert "Its prompt opens alone." in said
        assert file.name in said and "cannot be brought back" in said and "--model PATH" in said
        assert "777778" in said or "78" in said
        link = page.play.link
        assert link.prompt == "the dog" and link.snapshot is not None and len(page.ids) == link.snapshot.n_prompt
        assert not link.changes and link.sampling == session.sampling and "ALTERED" not in page.text
        await page.press("space")
        assert len(page.ids) == link.snapshot.n_prompt + 1


async def test_a_file_that_selects_what_the_model_lacks_is_named(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await page.press("space", "left", "ctrl+o")
    file = only(locations.sessions_dir())
    session = load_session(file)
    async with again(msgspec.structs.replace(session, layer=77), file=str(file)) as page:
        said = page.play.hints.line
        assert "Your session is back" in said and file.name in said and "layer 78 head 1, but tiny has 2 layers" in said
        assert page.play.selection == Selection(session.position)


async def test_a_session_whose_model_is_gone_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await page.press("space", "ctrl+o")
    session = msgspec.structs.replace(load_session(only(locations.sessions_dir())), model=str(tmp_path / "gone"))
    engine = EngineInside()
    app = GpttuiApp(engine, Opening(session.model, session=session))
    async with app.run_test() as pilot:
        page = Playground(app, pilot, engine)  # type: ignore[arg-type]
        await page.until(lambda: "no model is open" in page.text and not page.play.link.busy)
        assert "gone" in page.play.hints.line


async def test_nothing_open_nothing_saved() -> None:
    async with playground(wait=False, opening=Opening("missing")) as page:
        await page.until(lambda: "holds no model" in page.text)
        await page.press("ctrl+o")
        assert "nothing to save yet" in page.text
        await page.press("R", "B", "o", "c")
        await page.until(lambda: page.app.screen is page.play)


async def test_the_command_is_shown_and_copied_and_writes_the_same(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await page.press("x", "T", "space", "space", "space", "R")
        dialog = page.app.screen
        assert isinstance(dialog, RecipeScreen)
        text = page.play.tokens.tokenizer.decode(page.ids)  # type: ignore[union-attr]
        prompt = page.play.link.prompt
        await page.press("Y")
        command = shlex.split(page.app.clipboard)
        assert command[:2] == ["gpttui", "generate"] and command[-2:] == ["--ablate", "1.1"]
        await page.press("y")
        assert shlex.split(page.app.clipboard) == ["gpttui", "--session", str(only(locations.sessions_dir()))]
        await page.press("escape", "2", "down", "enter", "R")
        assert "picked by hand" in page.text and len(page.app.screen.commands) == 1  # type: ignore[attr-defined]
        await page.press("escape", "left", "t", "R")
        assert "were others on the way" in page.text
    assert prompt + written(command) == text


def written(command: list[str]) -> str:
    """What a `gpttui generate …` prints."""
    import contextlib
    import io

    from gpttui.cli import main

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main.run(command[1:]) == 0
    return out.getvalue().removesuffix("\n")


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


async def test_each_pane_of_the_playground_is_written_as_it_is_shown() -> None:
    async with playground() as page:
        await page.press("space", "k", "k", "2")
        snapshot = page.play.tokens.snapshot
        assert snapshot is not None and snapshot.prediction is not None and snapshot.attention is not None
        table = rows(await exported(page, "c"))
        prediction, shown = snapshot.prediction, page.play.next.rows_wanted
        assert [float(row["drawn"]) for row in table[:shown]] == prediction.final_probs[:shown].tolist()
        assert [float(row["model"]) for row in table[:shown]] == prediction.model_probs[:shown].tolist()
        assert float(table[-1]["tempered"]) > prediction.tail_mass - 1e-9 and table[-1]["token_id"] == "-1"

        await page.press("1")
        tokens = rows(await exported(page, "c"))
        assert [int(row["token_id"]) for row in tokens] == page.ids
        assert [float(row["entropy_bits"]) for row in tokens] == snapshot.entropy_bits.tolist()
        assert "".join(row["token"] for row in tokens) == page.play.tokens.tokenizer.decode(page.ids)  # type: ignore[union-attr]

        await page.press("3")
        with np.load(await exported(page, "n"), allow_pickle=False) as square:
            assert square["weights"].shape == (len(page.ids),) * 2 and int(square["layer"]) == 1
            assert np.allclose(square["weights"].sum(axis=1), 1)

        await page.press("4")
        with np.load(await exported(page, "n"), allow_pickle=False) as curve:
            history = page.play.loss.history
            assert history is not None and np.array_equal(curve["loss_nats"], history.losses_nats)
        picture = (await exported(page, "s")).read_text(encoding="utf-8")
        assert picture.startswith("<svg") and "Training" in picture and "Attention" not in picture


async def test_the_chooser_works_by_mouse_and_can_be_left(tmp_path: Path) -> None:
    async with playground() as page:
        await page.press("o", "escape")
        assert page.app.screen is page.play and not locations.exports_dir().exists()
        await page.press("o", "j")
        await page.press("enter")
        await page.until(lambda: "Wrote" in page.text)
        assert only(locations.exports_dir()).suffix == ".csv"


@pytest.mark.parametrize("view", ["v", "n", "w", "A", "i", "a", "L", "C", "b"])
async def test_panes_of_views_have_numbers_to_write(tmp_path: Path, view: str) -> None:
    async with opened(tmp_path) as page:
        await page.press("space", "x", view)
        screen = page.app.screen
        await page.until(lambda: not page.play.link.busy)
        for pane in list(screen.panes):  # type: ignore[attr-defined]
            pane.focus()
            await page.pilot.pause()
            file = await exported(page, "c")
            assert len(rows(file)) > 0, pane


async def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, home: Path) -> None:
    home.mkdir()
    (home / "data").write_text("in the way")
    async with playground() as page:
        await page.press("ctrl+o")
        assert "cannot be written" in page.text
        await page.press("o", "c")
        await page.until(lambda: "cannot be written" in page.text)


def test_what_views_remember_goes_through_json() -> None:
    views.load_all()
    kept = {"compare": TwoTexts("a", "b", "w", 1, 2), "compare.marks": (1, 2), "layers": ("here", (3, 4), True)}
    plain = json.loads(json.dumps(kept_plain(kept | {"other": object(), "vectors": (1, 2, 3)})))
    assert taken_up(plain) == kept | {"vectors": (1, 2, 3)}
    nonsense = {"compare": {"x": 1}, "compare.marks": [1], "layers": "x", "vectors": [1, -2, 3], "walk": None, "new": 1}
    assert taken_up(nonsense) == taken_up("nonsense") == {}


def taken_up(plain: object) -> dict[str, Any]:
    kept: dict[str, Any] = {FROM_FILE: plain}
    take_up(kept)
    return {name: value for name, value in kept.items() if name != FROM_FILE}


async def test_a_screen_that_says_nonsense_is_passed_over(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await page.press("space", "ctrl+o")
    session = load_session(only(locations.sessions_dir()))
    view = {"colour_mode": ["x"], "pane": {}, "view": [1], "zoomed": "yes", "overview": 1, "kept": [1], "focus": {}}
    async with again(msgspec.structs.replace(session, view=view, position=-99, layer=-7, head=10**9)) as page:
        assert "Your session is back" in page.text and page.app.screen is page.play


def test_names_of_files_are_safe_and_free(tmp_path: Path) -> None:
    first = free_file(tmp_path, "../my model@12", ".json")
    first.touch()
    second = free_file(tmp_path, "../my model@12", ".json")
    assert first.parent == second.parent == tmp_path and first != second
    assert first.name.startswith("my-model@12-")


@pytest.mark.parametrize("name", ["é" * 127, "x" * 255, "中" * 85, ". a\tb" + "-" * 200], ids=["é", "x", "中", "marks"])
async def test_no_name_of_a_directory_is_too_long_or_too_odd_to_write_under(tmp_path: Path, name: str) -> None:
    tiny_model_dir(tmp_path, "gpt2").rename(tmp_path / name)
    engine = EngineInside()
    app = GpttuiApp(engine, Opening(str(tmp_path / name)))
    async with app.run_test(size=(80, 24)) as pilot:
        page = Playground(app, pilot, engine)  # type: ignore[arg-type]
        await page.opened()
        await page.press("space", "ctrl+o", "R", "escape")
        assert load_session(only(locations.sessions_dir())).appended
        for key in "scn":
            await exported(page, key)
        await page.press("v")
        await exported(page, "c")


async def test_the_whole_screen_is_written_where_exports_go_or_it_says_why_not(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))  # without a folder for downloads
    async with opened(tmp_path) as page:
        await page.press("s")
        await page.until(lambda: "Wrote" in page.text)
        file = only(locations.exports_dir())
        assert file.name.endswith(".svg") and "-screen-" in file.name and "<svg" in file.read_text(encoding="utf-8")
        await page.press("v", "s")
        await page.until(lambda: len(list(locations.exports_dir().iterdir())) == 2)
        for written in locations.exports_dir().iterdir():
            written.unlink()
        locations.exports_dir().rmdir()
        locations.exports_dir().write_text("in the way")
        await page.press("escape", "s")
        await page.until(lambda: "cannot be written" in page.text)


def test_what_is_no_session_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"format": "gpttui session", "version": 99}')
    with pytest.raises(UserError, match="newer gpttui"):
        load_session(tmp_path / "x.json")


async def test_what_was_open_when_the_program_was_left_is_kept_for_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path))
    async with playground() as page:
        await page.press("space", "space")
        ids, prompt = page.ids, page.play.link.prompt
        await page.pilot.press("q")
        await page.until(lambda: not page.app.is_running or page.app._exit)
    kept = load_session(locations.last_session_file())
    assert kept.prompt == prompt and kept.appended == ids[-2:]
