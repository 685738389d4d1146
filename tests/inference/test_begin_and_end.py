"""What stands before a text and what ends it: as `transformers` has it, seen, and at a person's will."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import PreTrainedTokenizerFast

from gpttui.errors import UserError
from gpttui.inference.compare import choose_pair
from gpttui.inference.generate import generate
from gpttui.inference.opening import open_model
from gpttui.inference.session import Session
from gpttui.records import Sampling
from gpttui.runs.config import TrainConfig
from gpttui.storage import gallery
from gpttui.storage.end_tokens import end_tokens
from tests import fakes
from tests.begun import PROMPT, begun, greedy

GREEDY = Sampling(temperature=0)


def started(path: Path, prompt: str = PROMPT) -> Session:
    return Session(*open_model(path), sampling=GREEDY, prompt=prompt, ends=end_tokens(path))


def test_a_text_begins_and_ends_as_with_transformers(tmp_path: Path) -> None:
    path = begun(tmp_path)
    free = greedy(path, 8)
    end = next(n for n, token_id in enumerate(free) if n >= 2 and token_id not in free[:n])
    path = begun(tmp_path, ends=[5, free[end]])
    session = started(path)
    assert session.ids.tolist() == PreTrainedTokenizerFast.from_pretrained(path)(PROMPT).input_ids
    written = [token.id for token in generate(session, 8)]
    assert written == greedy(path, 8) == free[: end + 1]
    assert session.ended and session.snapshot().ended
    with pytest.raises(UserError, match="has ended its text here with"):
        session.step()
    session.back()
    assert not session.ended and session.step() == free[end]


def test_behind_an_end_that_a_person_chose_it_goes_on(tmp_path: Path) -> None:
    session = started(begun(tmp_path, ends=7))
    session.append(7)
    assert not session.ended
    session.step()
    again = started(begun(tmp_path, ends=7))
    again.restore(PROMPT, session.ids[session.n_prompt :].tolist(), [True, False])
    assert again.ids.tolist() == session.ids.tolist() and not again.ended


def test_a_prompt_that_ends_like_a_text_is_gone_on_from(tmp_path: Path) -> None:
    session = started(begun(tmp_path, ends=2), f"{PROMPT}</s>")
    assert session.ids[-1] == 2 and not session.ended
    session.step()


def test_what_stands_before_a_text_can_be_left_out(tmp_path: Path) -> None:
    session = started(begun(tmp_path))
    whole = session.ids.tolist()
    with session.reading(bare=True):
        session.set_prompt(PROMPT)
    assert session.ids.tolist() == whole[1:] == session.tokenizer.encode(PROMPT)
    with pytest.raises(RuntimeError), session.reading(bare=False):
        raise RuntimeError
    assert session.tokenizer.is_bare
    with session.reading(bare=False):
        session.set_prompt("")
    assert session.ids.tolist() == whole[:1]


def test_words_of_two_texts_are_where_the_model_reads_them(tmp_path: Path) -> None:
    session = started(begun(tmp_path))
    tokenizer = session.tokenizer
    pair = choose_pair(tokenizer, "the cat sat", "a dog and the cat", "cat")
    for text, at in (("the cat sat", pair.position_a), ("a dog and the cat", pair.position_b)):
        assert tokenizer.decode(tokenizer.prompt(text)[: at + 1]).rstrip().endswith("cat")


@pytest.mark.parametrize(
    ("generation", "config", "expected"),
    [
        ({"eos_token_id": 3}, {"eos_token_id": 4}, {3}),
        ({"eos_token_id": [3, 5]}, {}, {3, 5}),
        ({}, {"eos_token_id": 4}, {4}),
        (None, {"eos_token_id": [4]}, {4}),
        (None, {"text_config": {"eos_token_id": 6}}, {6}),
        (None, {}, set()),
        (None, {"eos_token_id": None}, set()),
    ],
)
def test_where_a_model_names_its_ends(generation: Any, config: Any, expected: set[int], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    if generation is not None:
        (tmp_path / "generation_config.json").write_text(json.dumps(generation))
    assert end_tokens(tmp_path) == expected


@pytest.mark.parametrize("told", ["3", "[-5]", "1e99", '{"a": 1}', "[[]]"])
def test_ends_that_cannot_be_are_a_line(told: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(f'{{"eos_token_id": {json.dumps(told) if told == "3" else told}}}')
    with pytest.raises(UserError, match="eos_token_id") as caught:
        end_tokens(tmp_path)
    assert "\n" not in str(caught.value)


def test_our_own_models_begin_and_end_with_nothing(tmp_path: Path) -> None:
    path = fakes.tiny_model_dir(tmp_path)
    assert end_tokens(path) == set() and open_model(path)[1].prompt("the") == open_model(path)[1].encode("the")


@pytest.mark.parametrize(
    ("model", "prompt", "written"),
    [
        ("addition", "123+456=", "579\n"),
        ("sort", "hello>", "ehllo\n"),
        ("translate", "the red cat sleeps. =", " le chat rouge dort.\n"),
        ("names", "mar", None),
        ("digits", "digit 7:", None),
        ("say", "say: seven =", None),
    ],
)
def test_a_bundled_model_stops_when_its_job_is_done(model: str, prompt: str, written: str | None) -> None:
    path = gallery.bundled_dir() / model
    session = started(path, prompt)
    text = session.tokenizer.decode([token.id for token in generate(session, 70)])
    assert session.ended and text.index("\n") == len(text) - 1 and written in (None, text)
    assert model != "digits" or len(text) == 64 + 1
    with pytest.raises(UserError, match="has ended its text here with ⏎"):
        session.step()
    session.back()
    session.append(int(session.tokenizer.encode("\n")[0]))
    session.step()


def test_the_checkpoint_of_a_run_ends_as_what_it_learns_from(tmp_path: Path) -> None:
    saved = fakes.tiny_model_dir(tmp_path / "run" / "checkpoints", name="00000040")
    (saved / "card.json").unlink()
    newline = frozenset(open_model(saved)[1].encode("\n"))
    assert len(newline) == 1
    for data, documents, ends in (("corpus:sort", True, newline), ("my.txt", True, newline), ("my.txt", False, set())):
        config = TrainConfig(data=data, documents=documents)
        (tmp_path / "run" / "config.json").write_text(config.to_json())
        assert end_tokens(saved) == ends


def test_rows_without_a_token_are_shown_as_such(tmp_path: Path) -> None:
    model, tokenizer = open_model(begun(tmp_path))
    beyond = range(tokenizer.vocab_size, model.config.vocab_size)
    assert len(beyond) == 3 and not any(map(tokenizer.has, beyond))
    session = Session(model, tokenizer, prompt=PROMPT)
    session.append(beyond[0])
    assert np.isfinite(session.logits()).all() and session.text == tokenizer.decode(session.ids[:-1].tolist())
