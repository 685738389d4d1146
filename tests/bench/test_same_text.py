"""Greedy texts of a little Llama, here and in `transformers`."""

from pathlib import Path

import torch

from gpttui.bench import real, same_text
from gpttui.inference.opening import open_model
from tests.begun import begun


def test_equal_texts_are_said_to_be_equal(tmp_path: Path) -> None:
    (row,) = real.same_text_rows(begun(tmp_path))
    assert row.value == 0 and row.verdict == "aim" and not row.note


def test_where_texts_part_is_said(tmp_path: Path) -> None:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

    path = begun(tmp_path)
    model, tokenizer = open_model(path, precision="fp32")
    with torch.no_grad():
        model.lm_head.weight[5] += 50
    theirs, words = LlamaForCausalLM.from_pretrained(path), PreTrainedTokenizerFast.from_pretrained(path)
    row = same_text.greedy_row(model, tokenizer, theirs, words)
    assert row.value > 0 and row.verdict == "missed" and "parts at token" in row.note
