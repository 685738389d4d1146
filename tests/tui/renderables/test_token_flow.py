"""Tokens as running text: every token once, in order, inside the width; appending equals starting anew."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from gpttui.tokenizers import Tokenizer, train_bpe
from gpttui.tui.renderables.token_flow import TokenFlow

TOKENIZER = train_bpe(["the king of the north\nand the queen\n\n of the  south" * 30], 300)


def text_of(flow: TokenFlow) -> list[str]:
    return ["".join(piece.text for piece in flow.line(y)) for y in range(flow.height)]


def flow_of(text: str, width: int, tokenizer: Tokenizer = TOKENIZER) -> TokenFlow:
    flow = TokenFlow(tokenizer, width)
    flow.set_ids(np.array(tokenizer.encode(text), dtype=np.int64))
    return flow


def test_words_stay_whole_and_newlines_end_lines() -> None:
    assert text_of(flow_of("the king of the north\nand", 12)) == ["the·king·of", "·the·north⏎", "and"]


def test_a_token_with_newlines_is_in_several_lines() -> None:
    flow = flow_of("north\n\n of", 30)
    assert text_of(flow) == ["north⏎", "⏎", "·of"]
    spread = [token for token in range(len(flow.ids)) if flow.line_of(token) != flow.last_line_of(token)]
    ends = "".join(piece.text for y in range(flow.height) for piece in flow.line(y))
    assert ends == "north⏎⏎·of"
    assert all(flow.line(flow.last_line_of(token)) for token in spread)


def test_what_does_not_fit_is_cut_not_lost() -> None:
    tokenizer = train_bpe(["abcdefghijklmnop" * 50], 300)
    flow = flow_of("abcdefghijklmnop", 6, tokenizer)
    assert all(cell_len(line) <= 6 for line in text_of(flow))
    assert {piece.token for y in range(flow.height) for piece in flow.line(y)} == set(range(len(flow.ids)))


def test_an_empty_text_has_no_lines() -> None:
    flow = TokenFlow(TOKENIZER, 10)
    flow.set_ids(np.empty(0, dtype=np.int64))
    assert flow.height == 0 and flow.line(0) == [] and flow.token_at(0, 0) is None and flow.nearest(0, 0) is None


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="the kingof\n\t漢é\x1b🙂", max_size=80), st.integers(1, 30))
def test_every_token_is_somewhere_and_can_be_hit(text: str, width: int) -> None:
    flow = flow_of(text, width)
    seen = []
    for y in range(flow.height):
        for piece in flow.line(y):
            seen.append(piece.token)
            assert piece.column + piece.width <= max(width, piece.width)
            assert piece.width <= max(1, width)
            if piece.width:
                assert flow.token_at(piece.column, y) == piece.token
            assert flow.line_of(piece.token) <= y <= flow.last_line_of(piece.token)
    assert seen == sorted(seen) and set(seen) == set(range(len(flow.ids)))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(alphabet="the kig\n", max_size=30), min_size=1, max_size=6), st.integers(3, 20))
def test_changing_the_text_equals_laying_it_out_anew(texts: list[str], width: int) -> None:
    flow = TokenFlow(TOKENIZER, width)
    for text in texts:
        flow.set_ids(np.array(TOKENIZER.encode(text), dtype=np.int64))
        assert text_of(flow) == text_of(flow_of(text, width))


@pytest.mark.parametrize("width", [5, 11, 40])
def test_another_width_lays_everything_out_again(width: int) -> None:
    flow = flow_of("the king of the north\nand the queen", 20)
    flow.reset(TOKENIZER, width)
    assert text_of(flow) == text_of(flow_of("the king of the north\nand the queen", width))
