"""What the views into the model write, by string."""

import numpy as np
from rich.style import Style

from gpttui.tokenizers import train_bpe
from gpttui.tui.renderables.compare import beside, contributors, crop
from gpttui.tui.renderables.journey import decided_at, layer_of, sayings, stop_words

NONE = Style()


def test_stops_have_plain_names() -> None:
    assert stop_words("embed") == "embedding + position"
    assert stop_words("2 attn") == "layer 2 · attention adds"
    assert stop_words("11 mlp") == "layer 11 · MLP adds"
    assert [layer_of(stop) for stop in ("embed", "0 attn", "11 mlp")] == [-1, 0, 11]


def test_a_journey_is_decided_where_the_winner_takes_the_lead_for_good() -> None:
    def leads(*ids: int) -> np.ndarray:
        return np.array(ids)[:, None]

    assert decided_at(leads(7, 3, 7, 7)) == 2
    assert decided_at(leads(7, 7, 7)) == 0
    assert decided_at(leads(1, 2, 3)) == 2


def test_only_whole_readings_are_shown_and_hostile_bytes_stay_harmless() -> None:
    tokenizer = train_bpe(["the cat sat"], 258)
    escape = tokenizer.encode("\x1b")[0]
    ids, probs = np.array([escape, escape]), np.array([0.5, 0.25])
    told = sayings(tokenizer, ids, probs, 100)
    assert len(told) == 2 and told[0].endswith("50.0%") and "\x1b" not in "".join(told)
    assert len(sayings(tokenizer, ids, probs, len(told[0]) + 3)) == 1
    assert sayings(tokenizer, ids, probs, 2) == []


def test_the_largest_share_of_a_difference_comes_first_whatever_its_sign() -> None:
    heads, mlps = np.array([[0.1, -0.6], [0.0, 0.2]]), np.array([0.3, np.nan])
    found = contributors(heads, mlps, 3)
    assert [part.name for part in found] == ["head 0.1", "MLP 0", "head 1.1"]
    assert contributors(np.full((1, 1), np.nan), np.array([np.nan]), 5) == []


def test_blocks_side_by_side_keep_their_columns() -> None:
    left, right = [[("long line", NONE)], [("b", NONE)]], [[("1", NONE)], [("2", NONE)], [("3", NONE)]]
    lines = ["".join(text for text, _ in line) for line in beside(left, right, 4)]
    assert lines == ["lon…  1", "b     2", "      3"]
    assert "".join(text for text, _ in crop([("日本", NONE), ("語", NONE)], 3)) == "日…"
