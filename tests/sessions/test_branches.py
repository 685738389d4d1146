"""The tree keeps every path once; a session file comes back as it went, and says no in one line otherwise."""

import json
import math
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpttui.errors import UserError
from gpttui.interventions import AblateHead, Steer
from gpttui.records import Sampling
from gpttui.sessions.command import generate_command, session_command
from gpttui.sessions.tree import (
    Branches,
    SessionFile,
    check_session,
    load_session,
    model_key,
    model_words,
    save_session,
)

PATHS = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=6), min_size=1, max_size=12)


@given(PATHS)
def test_a_tree_is_the_set_of_its_prefixes(paths: list[list[int]]) -> None:
    tree = Branches()
    for path in paths:
        leaf = tree.follow(path, [1.0 + token for token in path])
        assert [node.token_id for node in tree.path(leaf)] == path
        assert tree.joint_bits(leaf) == sum(1.0 + token for token in path)
    prefixes = {tuple(path[:n]) for path in paths for n in range(1, len(path) + 1)}
    rows = list(tree.rows())
    assert len(rows) == len(tree) == len(prefixes)
    for row in rows:
        assert row.depth == len(tree.path(row.node.id)) and row.joint_bits == tree.joint_bits(row.node.id)
        assert row.n_below == len(list(tree.rows(row.node.id))) - 1
    again = Branches(list(tree.nodes.values()))
    assert list(again.rows()) == rows
    first = tree.nodes[tree.child_ids()[0]]
    below = len(list(tree.rows(first.id)))
    assert tree.prune(first.id) == below and len(tree) == len(rows) - below
    assert all(row.node.id != first.id for row in tree.rows())


def test_bookmarks_probabilities_and_what_is_gone() -> None:
    tree = Branches()
    leaf = tree.follow([5, 6], [1.0, 3.0], [False, True])
    other = tree.follow([5, 7], [1.0, 2.0])
    assert [node.picked for node in tree.path(leaf)] == [False, True] and tree.nodes[other].prob == 0.25
    assert tree.follow([5, 6], [0.5, 3.0]) == leaf and tree.joint_bits(leaf) == 3.5
    tree.bookmark(leaf, " my\nfavourite ")
    assert [node.bookmark for node in tree.bookmarks] == ["my favourite"]
    tree.prune(leaf)
    assert not tree.bookmarks and [row.node.id for row in tree.rows(other)] == [other]
    for refused in (tree.path, tree.prune, tree.joint_bits):
        with pytest.raises(UserError, match="no longer there"):
            refused(leaf)


def test_each_token_says_which_model_measured_it() -> None:
    tree = Branches()
    first = tree.follow([5, 6], [1.0, 0.5])
    other = tree.follow([5, 7], [2.0, 0.9], under="altered")
    assert [node.under for node in tree.path(first)] == ["altered", ""] and tree.now == "altered"
    assert tree.models(first) == {"altered", ""} and tree.models(other) == {"altered"}
    assert {row.node.id: row.models for row in tree.rows()} == {n: tree.models(n) for n in tree.nodes}
    assert [row.models for row in tree.rows(first)] == [tree.models(first)]
    tree.follow([5, 6], [math.nan, 0.5])  # a token that has left the window is not measured anew
    assert [node.under for node in tree.path(first)] == ["altered", ""] and tree.nodes[0].bits == 2.0
    tree.follow([5, 6], [1.0, 0.5])
    assert tree.models(first) == {""} and tree.models(other) == {"", "altered"}


def test_models_are_told_apart_by_more_than_their_words() -> None:
    assert model_key("", ()) == "" and model_words("") == model_words(None) == "the model as loaded"
    assert model_key("checkpoint 5", ("a", "b")) == "checkpoint 5, a, b"
    one, two = (model_key("", ("a…",), exact) for exact in ("one text", "another"))
    assert one != two and model_words(one) == model_words(two) == "a…"


def test_a_file_that_does_not_say_takes_the_model_of_now(tmp_path: Path) -> None:
    tree = Branches()
    tree.follow([5, 6], [1.0, 3.0])
    tree.follow([5, 7], [2.0, 3.0], under="altered")
    file = tmp_path / "s.json"
    save_session(session(tree), file)
    plain = json.loads(file.read_text())
    assert plain["version"] == 1 and load_session(file).branches == list(tree.nodes.values())
    for node in plain["branches"]:
        del node["under"]
    file.write_text(json.dumps(plain))
    older = Branches(load_session(file).branches)
    assert {node.under for node in older.nodes.values()} == {None}
    older.take_for("here")
    assert {node.under for node in older.nodes.values()} == {"here"}
    file.write_text(json.dumps(plain | {"branches": [plain["branches"][0] | {"under": 5}]}))
    with pytest.raises(UserError, match="damaged"):
        load_session(file)


def session(tree: Branches) -> SessionFile:
    return SessionFile(
        model="tales",
        vocab_size=61,
        params=1000,
        prompt="Once \x1b[31m[red] ’",
        appended=[5, 6],
        picked=[False, True],
        sampling=Sampling(0.5, 10, 0.9),
        seed=7,
        interventions=[AblateHead(1, 2, "mean"), Steer(0, "a", "b", 2.0)],
        branches=list(tree.nodes.values()),
        view={"pane": "lens", "pinned": [4]},
    )


def test_a_session_file_round_trips(tmp_path: Path) -> None:
    tree = Branches()
    tree.follow([5, 6], [math.nan, 3.0])
    made = session(tree)
    save_session(made, tmp_path / "new" / "s.json")
    back = load_session(tmp_path / "new" / "s.json")
    assert math.isnan(back.branches[0].bits) and back.branches[1:] == made.branches[1:]
    for name in ("prompt", "appended", "picked", "sampling", "seed", "interventions", "view", "model"):
        assert getattr(back, name) == getattr(made, name)
    check_session(back, "tales", 61, 1000)
    with pytest.raises(UserError, match="61 tokens; other has 60"):
        check_session(back, "other", 60, 1000)
    with pytest.raises(UserError, match="1,000 parameters; tales has 1,001; name the model"):
        check_session(back, "tales", 61, 1001)


def test_what_is_no_session_says_so(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    with pytest.raises(UserError, match="cannot be read"):
        load_session(file)
    save_session(session(Branches()), file)
    good = json.loads(file.read_text())
    for change, words in (
        ({"version": 4}, "newer gpttui"),
        ({"format": "x"}, "not a gpttui session"),
        ({"picked": []}, "damaged"),
        ({"seed": "x"}, "damaged"),
        ({"appended": None}, "damaged"),
        ({"branches": [{}]}, "damaged"),
    ):
        file.write_text(json.dumps(good | change))
        with pytest.raises(UserError, match=words):
            load_session(file)
    for text in ("", "[1]", "{"):
        file.write_text(text)
        with pytest.raises(UserError):
            load_session(file)
    with pytest.raises(UserError, match="cannot be written"):
        save_session(session(Branches()), file / "below")


def test_the_command_that_reproduces() -> None:
    command = generate_command("tales", "it's $HOME", 3, Sampling(0.5, 0, 0.9), 4, (AblateHead(2, 1),))
    expected = ["--prompt", "it's $HOME", "-n", "3", "--seed", "4", "--temperature", "0.5", "--top-p", "0.9"]
    assert shlex.split(command) == ["gpttui", "generate", "--model", "tales", *expected, "--ablate", "3.2"]
    assert shlex.split(session_command("my file.json")) == ["gpttui", "--session", "my file.json"]
