"""What panes write counts as the screen does, from 1, and every file says which view it is of."""

import csv
from pathlib import Path

import numpy as np
import pytest
from textual.widget import Widget

from gpttui import locations
from gpttui.protocol.train import BatchLosses, BeforeAfter, Move
from gpttui.tui.tables import table_of
from gpttui.tui.views.compare.pane_apart import CompareDistances
from gpttui.tui.views.frame import InsideScreen
from gpttui.tui.views.table import VIEWS
from gpttui.tui.widgets.batch import BatchPane
from gpttui.tui.widgets.before_after import MovesPane, WrittenPane
from tests.tui.bench import Bench
from tests.tui.opening import opened
from tests.tui.pilot import Playground, exported, playground

LAYER, HEAD = 2, 2
"""Selected, as the screen counts."""
OF_THE_LAYER = {("attention", "stages"), ("attention", "cell"), ("mlp", "flow"), ("mlp", "top"), ("mlp", "about")}
"""Panes about the selected layer alone."""
COUNTED = {
    "layer", "head", "neuron", "position", "after_position", "first_position", "query_position", "key_position",
    "first_query", "first_key", "cell", "looked_at", "dimension", "rank", "rank_without_inputs", "watched_ranks",
    "number", "node", "depth", "row", "fires_at",
}  # fmt: skip
OR_NONE = {"layer", "head", "parent", "looked_at"}
"""Here 0, or less, stands for none."""
AMOUNTS = {
    "flops", "weight_bytes", "cache_bytes", "kv_bytes", "kv_bytes_full", "threads", "tokens", "step", "weights_step",
    "top_k", "validation_step", "steps", "val_steps",
}  # fmt: skip


def name_of(column: str) -> str:
    return column.rpartition(".")[2]


def is_token_id(column: str) -> bool:
    return column.endswith(("_id", "_ids"))


def check(view: str, pane: Widget, table: dict[str, object]) -> None:
    for column, value in table.items():
        array, name = np.asarray(value), name_of(column)
        if array.dtype.kind != "i" or is_token_id(name) or not array.size:
            continue
        assert name in COUNTED | OR_NONE | AMOUNTS, f"does {view} {pane.id} {column} count something?"
        if name in COUNTED - OR_NONE:
            assert array.min() >= 1, (view, pane.id, column)
    names = {name_of(column) for column in table}
    if (view, pane.id) in OF_THE_LAYER:
        assert np.all(np.asarray(table["layer"]) == LAYER)
    elif "layer" in names and "part" not in names and view != "play":
        assert np.unique(np.asarray(table["layer"])).tolist() == [1, 2], (view, pane.id)
    if (view, pane.id) in {("attention", "stages"), ("attention", "cell")}:
        assert np.all(np.asarray(table["head"]) == HEAD)


def numbers(pane: Widget) -> dict[str, object]:
    table = table_of(pane)
    assert table is not None, pane
    return dict(table)


async def settled(page: Playground) -> None:
    await page.until(lambda: not page.play.link.busy)
    await page.pilot.pause()


async def test_all_panes_of_all_views_count_from_1(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await page.press("space", "space", "comma", "right_curly_bracket", "right_square_bracket", "x")
        place = page.play.selection.index(len(page.ids)) + 1
        seen = set()
        for view in VIEWS:
            await page.press(view.key)
            await settled(page)
            screen = page.app.screen
            assert isinstance(screen, InsideScreen)
            for pane in screen.panes:
                table = numbers(pane)
                check(view.id, pane, table)
                seen.add((view.id, pane.id))
                here = table.get("position", table.get("query_position"))
                if here is not None and np.asarray(here).ndim == 0:
                    assert int(np.asarray(here)) == place, (view.id, pane.id)
            await page.press("escape")
        assert len(seen) > 20 and seen >= OF_THE_LAYER


async def test_the_numbers_written_are_those_of_the_screen(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await page.press("space", "space", "comma", "right_curly_bracket", "n")
        screen = page.app.screen
        await page.until(lambda: screen.about.found is not None)  # type: ignore[attr-defined]
        about = numbers(screen.query_one("#about"))
        title = str(screen.query_one("#about").border_title)
        assert title == f"Neuron {about['neuron']} of layer {about['layer']}" and about["layer"] == LAYER
        await page.press("escape", "L")
        await settled(page)
        shares = numbers(page.app.screen.query_one("#shares"))
        held = page.app.screen.shares.found  # type: ignore[attr-defined]
        share, head = np.asarray(shares["share"]), np.asarray(shares["head"])
        whole = share.reshape(len(held.token_ids), -1).sum(axis=1)
        assert np.allclose(whole, held.logits, atol=1e-3) and set(head.tolist()) == {0, 1, 2}
        assert set(np.asarray(shares["layer"]).tolist()) == {0, 1, 2}
        await page.press("escape", "C")
        await settled(page)
        parts = numbers(page.app.screen.query_one("#parts"))
        of_layer = dict(zip(zip(parts["layer"], parts["part"], strict=True), parts["ms"], strict=True))  # type: ignore[call-overload]
        assert {(0, "embed"), (0, "unembed"), (1, "qkv"), (2, "mlp")} <= of_layer.keys()
        growth = numbers(page.app.screen.query_one("#growth"))
        measured = np.isfinite(np.asarray(growth["ms"]))
        assert measured.any() and np.asarray(growth["tokens"])[measured][-1] == parts["position"]
        await page.press("escape", "i")
        await settled(page)
        assert numbers(page.app.screen.query_one("#journey"))["stops"][-1] == "layer 2 MLP"  # type: ignore[index]


async def test_panes_of_the_playground_count_from_1() -> None:
    async with playground() as page:
        await page.press("space", "k", "k")
        for pane in (page.play.tokens, page.play.next, page.play.attention, page.play.loss):
            check("play", pane, numbers(pane))


async def test_contexts_tell_both_distances_by_name(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await page.press("w")
        await settled(page)
        pane = page.app.screen.query_one(CompareDistances)
        table, compared = numbers(pane), pane.found
        assert compared is not None and "distance" not in table
        assert np.allclose(np.asarray(table["cosine_distance"]), 1 - compared.cosines)
        assert np.array_equal(np.asarray(table["euclidean_distance"]), compared.distances)


@pytest.mark.parametrize(
    ("view", "pane", "named"),
    [("w", "parts", "compare-parts"), ("C", "parts", "cost-parts"), ("i", "journey", "journey")],
)
async def test_a_file_says_which_view_it_is_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, view: str, pane: str, named: str
) -> None:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))
    async with opened(tmp_path) as page:
        await page.press(view)
        await settled(page)
        page.app.screen.query_one(f"#{pane}").focus()
        await page.pilot.pause()
        file = await exported(page, "c")
        assert file.parent == locations.exports_dir() and file.name.startswith(f"tiny-{named}-20")
        with file.open(newline="", encoding="utf-8") as handle:
            assert len(list(csv.reader(handle))) > 1


async def test_panes_of_training_count_from_1() -> None:
    losses = np.full((2, 4), 0.5, dtype=np.float32)
    pane = BatchPane(id="batch")
    async with Bench(pane).run_test(size=(60, 12)) as pilot:
        pane.losses = BatchLosses(7, 7, 2, np.arange(8, dtype=np.int32).reshape(2, 4), losses)
        await pilot.pause()
        table = numbers(pane)
        check("train", pane, table)
        assert np.asarray(table["position"]).tolist() == [1, 2, 3, 4] * 2
    ids = np.arange(3, dtype=np.int32)
    found = BeforeAfter("a", "b", 1, ids, ids, (Move(0, 2, 0.1, 0.2),), ids, "new", 1.0, 0.5, 10)
    for compared in (WrittenPane(), MovesPane()):
        check("after", compared, dict(compared.numbers(found)))
