"""Every choice is a branch: seen, jumped to, pruned, bookmarked, and kept in the session file."""

import math
from pathlib import Path

import pytest

from gpttui import locations
from gpttui.sessions.tree import Branches, load_session
from gpttui.tui.views.branches.draw_tree import chance, entries, legend, marked, nats
from gpttui.tui.views.branches.screen import BranchesScreen
from gpttui.tui.widgets.lines import LinesPane
from tests.tui.opening import opened
from tests.tui.pilot import Playground


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))


async def two_branches(page: Playground) -> tuple[list[int], list[int]]:
    """A drawn continuation of two tokens, and one that a person chose instead of its second."""
    await page.press("space", "space")
    first = page.ids
    await page.press("left", "2")
    await page.press("down", "down")
    if page.play.next.prediction is not None and page.play.next.prediction.candidate_ids[2] == first[-1]:
        await page.press("down")
    await page.press("enter", "space")
    return first, page.ids


async def branches(page: Playground) -> BranchesScreen:
    await page.press("b")
    screen = page.app.screen
    assert isinstance(screen, BranchesScreen)
    return screen


def words_of(pane: LinesPane) -> str:
    """All its lines as one, however they were wrapped."""
    sheet = pane.sheet()
    return "" if sheet is None else " ".join("".join(text for text, _ in line).strip() for line in sheet.lines)


async def test_what_was_left_is_in_the_tree_and_can_be_gone_back_to(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        first, second = await two_branches(page)
        n_prompt = page.play.link.snapshot.n_prompt  # type: ignore[union-attr]
        screen = await branches(page)
        assert "2 continuations, 4 tokens" in page.text and "├╴" in page.text and "└╴" in page.text
        assert screen.forks.node == page.play.link.trail.leaf and "●" in page.text
        path = screen.forks.branches.path(screen.forks.node)
        assert [node.token_id for node in path] == second[n_prompt:] and [n.picked for n in path] == [
            False,
            True,
            False,
        ]
        bits = page.play.link.snapshot.surprisal_bits[n_prompt:]  # type: ignore[union-attr]
        assert nats(float(bits.sum())) in page.text and chance(float(bits.sum())) in page.text
        await page.press("home", "down", "down", "enter")
        assert page.ids == first and "Jumped" in page.text
        assert screen.forks.node == page.play.link.trail.leaf
        await page.press("home", "enter")
        assert len(page.ids) == n_prompt and len(screen.forks.branches) == 4
        await page.press("escape", "space")
        assert page.ids == first[:-1]


async def test_a_long_branch_opens_where_the_text_is(tmp_path: Path) -> None:
    async with opened(tmp_path, (80, 24)) as page:
        await page.press(*["space"] * 14)
        await branches(page)
        assert "▸ ●" in page.text


async def test_a_second_click_jumps(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        first, _ = await two_branches(page)
        screen = await branches(page)
        await page.pilot.click(screen.forks, offset=(6, 4))
        await page.pilot.click(screen.forks, offset=(6, 4))
        await page.until(lambda: page.ids == first)


async def test_pruning_spares_the_text_itself(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await two_branches(page)
        screen = await branches(page)
        await page.press("d")
        assert "jump to another branch first" in page.text and len(screen.forks.branches) == 4
        await page.press("home", "down", "down", "d")
        assert "Forgotten: 1 token." in page.text and "1 continuation, 3 tokens" in page.text


async def test_bookmarks_by_key_and_by_name_are_saved(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        first, _ = await two_branches(page)
        await page.press("1", "B")
        assert "Bookmark 1" in page.text
        screen = await branches(page)
        await page.press("home", "down", "down", "B", "backspace", *"end", "enter")
        await page.until(lambda: "Bookmark end." in page.text)
        assert "★ end" in page.text and "★ 1" in page.text
        await page.press("ctrl+o", "tab")
        assert page.app.screen.focused is screen.branch
        await page.press("enter" if screen.branch.node == screen.forks.node else "down", "enter")
        await page.until(lambda: page.ids == first or len(page.ids) == len(first) + 1)
        saved = load_session(next(locations.sessions_dir().iterdir()))
        assert {node.bookmark for node in saved.branches} == {"", "1", "end"}


async def test_stretches_join_what_does_not_fork(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await two_branches(page)
        screen = await branches(page)
        whole = screen.forks.count
        await page.press("t")
        assert screen.forks.count == whole - 1
        node = screen.forks.node
        await page.press("t")
        assert screen.forks.node == node and screen.forks.count == whole


async def test_what_another_model_measured_is_marked(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        first, second = await two_branches(page)
        screen = await branches(page)
        assert "†" not in page.text and "measured under" not in page.text
        tree = screen.forks.branches
        plain = {node.id: node.bits for node in tree.nodes.values()}
        await page.press("X")
        await page.until(lambda: "† measured under the model as loaded" in page.text)
        left, here = tree.path(1)[-1], tree.path(page.play.link.trail.leaf)
        assert (left.token_id, left.bits, left.under) == (first[-1], plain[1], "")
        assert all(node.under == tree.now == "layer 1 MLP silenced" for node in here)
        assert any(node.bits != plain[node.id] for node in here)
        line = next(line for line in page.text.splitlines() if f"{chance(left.bits)}†" in line)
        assert "mixed" in line and line.count("%") == 1
        table = screen.forks.table()
        assert table is not None and table["measured_now"] == [True, False, True, True]
        assert [math.isnan(value) for value in table["joint_log_prob_nats"]] == [False, True, False, False]
        await page.press("home", "down", "down")
        assert "2 tokens, mixed: no joint probability." in page.text
        assert "1 under layer 1 MLP silenced; 1 under the model as loaded" in words_of(screen.branch)
        await page.press("ctrl+o")
        saved = load_session(next(locations.sessions_dir().iterdir()))
        assert [node.under for node in saved.branches] == [node.under for node in tree.nodes.values()]
        await page.press("enter")  # a jump measures the branch anew
        await page.until(lambda: tree.nodes[1].under == tree.now)
        await page.press("X")
        await page.until(lambda: "† measured under layer 1 MLP silenced" in page.text)
        await page.press("end", "up", "up")
        assert page.ids == first and tree.nodes[0].bits == pytest.approx(plain[0], abs=1e-4)
    assert len(second) == len(first) + 1


async def test_a_branch_of_one_other_model_keeps_its_figure_marked(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await page.press("space", "space", "home", "X")
        screen = await branches(page)
        bits = screen.forks.branches.joint_bits(1)
        assert f"{nats(bits)}†" in page.text and words_of(screen.forks).count("mixed") == 1  # the legend's
        await page.press("end", "down", "down")
        assert f"log p = {nats(bits)}† nats, p = {chance(bits)}†" in words_of(screen.branch)
        await page.press("X")
        assert "†" not in page.text


def test_marks_and_their_legend() -> None:
    loaded, altered, both = frozenset({""}), frozenset({"a"}), frozenset({"", "a"})
    assert [marked("5%", models, "a") for models in (loaded, altered, both)] == ["5%†", "5%", "mixed"]
    assert marked("?", both, "a") == "?"
    tree = Branches()
    tree.follow([1], [1.0])
    assert legend(tree) == ""
    tree.follow([2], [1.0], under="a")
    assert legend(tree) == "† measured under the model as loaded; mixed: under several"
    tree.follow([3], [1.0], under="b")
    assert "other models than that of now" in legend(tree)


def test_lines_of_a_tree_that_forks_twice() -> None:
    tree = Branches()
    tree.follow([1, 2, 3], [1.0, 1.0, 1.0])
    tree.follow([1, 2, 4, 5], [1.0, 1.0, 2.0, 3.0])
    leaf = tree.follow([6], [4.0])
    lines = [(entry.guides, len(entry.nodes), entry.bits) for entry in entries(tree, leaf, folded=True)]
    assert lines == [("├╴", 2, 2.0), ("│ ├╴", 1, 1.0), ("│ └╴", 2, 5.0), ("└╴", 1, 4.0)]
    each = list(entries(tree, leaf, folded=False))
    assert [entry.guides for entry in each] == ["├╴", "│ ", "│ ├╴", "│ └╴", "│   ", "└╴"]
    assert [entry.joint_bits for entry in each] == [1.0, 2.0, 3.0, 4.0, 7.0, 4.0]
    tree.bookmark(0, "here")
    assert len(list(entries(tree, leaf, folded=True))) == 5


def test_figures_however_small() -> None:
    assert (chance(1.0), chance(0.0), chance(math.nan), nats(math.nan)) == ("50.0%", "100%", "?", "?")
    assert chance(1e5) == "1.0e-30103" and chance(40.0) == "9.1e-13" and nats(1.0) == "-0.69" and nats(0.0) == "0.00"


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (1, 1)])
async def test_it_survives_any_terminal_and_an_empty_text(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, size, prompt="") as page:
        await page.press("b", "down", "d", "B", "enter", "t", "tab", "enter", "space", "escape")
        if page.app.screen is not page.play:
            await page.press("escape")
        assert page.app.screen is page.play
