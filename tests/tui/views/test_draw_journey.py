"""What is said about the stops of a journey, by string."""

import itertools
from typing import Any

import numpy as np
import pytest

from gpttui.protocol.stream import Journey
from gpttui.records import Draw, Sampling
from gpttui.tui.views.journey import draw_words as words
from gpttui.tui.views.journey.draw_map import LEAST_FOLDED, folded

STOPS = ("embed", "0 attn", "0 mlp")


def label(token_id: int) -> str:
    return f'"{"abcdef"[token_id]}"'


def journey(stops: tuple[str, ...] = STOPS, **changes: Any) -> Journey:
    count = len(stops)
    return Journey(
        **{
            "position": 2, "token_id": 2, "stops": stops, "vectors": np.ones((count, 4), np.float32),
            "norms": np.arange(1.0, count + 1), "added_norms": np.arange(1.0, count + 1) / 2, "turned": np.ones(count),
            "top_ids": np.tile([1, 0], (count, 1)), "top_probs": np.tile([0.75, 0.25], (count, 1)),
            "watched_ranks": np.zeros((count, 0)), "watched_probs": np.zeros((count, 0)),
            "looked_at": np.array([[0, 2, 1]]), "looked": np.array([[0.6, 0.35, 0.05]]), **changes,
        }
    )  # fmt: skip


def test_stops_are_named_and_a_place_that_is_apart_is_one() -> None:
    assert [name.long for name in words.stop_names(STOPS)] == [
        "the token's vector",
        "layer 1's attention",
        "layer 1's MLP",
    ]
    assert [name.part for name in words.stop_names(("token", *STOPS))][:3] == ["token", "place", "attn"]
    assert [name.layer for name in words.stop_names(("embed", "11 mlp"))] == [-1, 11]


@pytest.mark.parametrize(
    ("positions", "says"), [("learned", "place is in it"), ("rope", "a rotation"), ("none", "Nothing says")]
)
def test_the_first_stop_says_how_the_place_comes_in(positions: str, says: str) -> None:
    assert says in words.deed(journey(positions=positions), 0, label, [0, 1, 2])


def test_attention_says_whom_its_heads_look_at() -> None:
    told = words.deed(journey(), 1, label, [0, 1, 2])
    assert told == (
        'Layer 1\'s heads look mostly at "a" (60.0%) and the token itself (35.0%); what they fetch there is added: '
        "a vector of length 1.00."
    )
    assert "find nothing before" in words.deed(journey(position=0), 1, label, [2])
    one = journey(looked=np.array([[0.06, 0.05, 0.05]]))
    assert words.looks(one, 0, label, [0, 1, 2]) == 'look mostly at "a" (6.0%)'


def test_the_last_vector_becomes_chances() -> None:
    assert words.chances(journey(), label, 2048).endswith(
        'all 2,048 tokens: each gets its chance, "b" the best, 75.0%.'
    )
    assert words.says(journey(), 1, label) == '"b" 75.0%, "a" 25.0%'
    assert words.angle(2.0) == "0°" and words.angle(0.0) == "90°"


def test_how_a_token_came_and_how_the_next_one_will() -> None:
    assert words.came(Draw(0, 0.5, 0.25, 0.75), label) == (
        'Drawn: "a"; the random number 0.500 fell on its stretch, 0.250 to 0.750. '
    )
    assert words.came(Draw(0, float("nan"), 0.0, 1.0), label) == 'Taken, being the best: "a". '
    assert words.came(Draw(0, float("nan"), 0.0, 1.0, picked=True), label) == words.came(None, label) == ""
    assert words.drawing(Sampling(0.8, 40, 0.9)) == "draws one of them (temperature 0.8, top-k 40, top-p 0.9)"
    assert words.drawing(Sampling(0)) == "takes the best of them"


@pytest.mark.parametrize("count", [1, 5, 61, 161])
def test_a_long_way_is_folded_around_the_chosen_stop(count: int) -> None:
    for room in range(1, count + 3):
        for at in range(count):
            found = folded(at, count, room)
            shown = [n for stretch in found for n in stretch]
            assert at in shown and shown == sorted(set(shown)) and 0 <= shown[0] <= shown[-1] < count
            assert len(shown) + len(found) - 1 <= room
            if room >= LEAST_FOLDED:
                assert shown[0] == 0 and shown[-1] == count - 1
            if room >= count:
                assert found == [range(count)]
            assert all(b.start > a.stop for a, b in itertools.pairwise(found))
