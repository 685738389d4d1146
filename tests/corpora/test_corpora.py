"""The generated corpora: deterministic, disjoint from their held-out side, and right."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path
from string import ascii_lowercase

import numpy as np
import pytest

from gpttui.corpora import arithmetic, datasets, digits, induction, python_code, sorting
from gpttui.corpora.registry import CORPORA, corpus_spec, open_corpus
from gpttui.corpora.splits import HELD_OUT_FROM_SEED
from gpttui.engine.before_after import old_text
from gpttui.engine.passages import training_text
from gpttui.errors import UserError
from gpttui.runs.config import TrainConfig
from gpttui.storage import gallery
from gpttui.tokenizers import Tokenizer

OWN = [name for name in CORPORA if name != "tales"]
DISJOINT = ["addition", "sort", "induction", "translate", "digits", "python-docs", "python-code"]


@pytest.mark.parametrize("name", OWN)
def test_a_seed_fixes_the_documents_and_another_seed_changes_them(name: str, request: pytest.FixtureRequest) -> None:
    if name == "names":
        request.getfixturevalue("public_texts")
    documents = open_corpus(name)
    first = list(documents(5, 20))
    assert first == list(documents(5, 20)) == list(islice(documents(5), 20))
    assert len(first) == 20
    assert first != list(documents(6, 20))
    assert all(document and document == document.strip("\n") for document in first)


@pytest.mark.parametrize("name", DISJOINT)
def test_held_out_documents_never_occur_in_training(name: str) -> None:
    documents = open_corpus(name)
    n = 20 if name.startswith("python") else 500
    training = {document for seed in (0, 1) for document in documents(seed, n)}
    held_out = {document for seed in (0, 1) for document in documents(HELD_OUT_FROM_SEED + seed, n)}
    assert held_out and not training & held_out


def test_a_spec_whose_answer_follows_a_marker_tells_the_truth() -> None:
    for name in ("addition", "sort", "translate"):
        marker = CORPORA[name].answer_after
        answers: dict[str, str] = {}
        for document in open_corpus(name)(3, 3000):
            problem, found, answer = document.partition(marker)
            assert found and answer
            assert answers.setdefault(problem, answer) == answer


def test_an_unknown_corpus_is_answered_with_the_names_there_are() -> None:
    with pytest.raises(UserError, match="addition"):
        open_corpus("additions")
    assert corpus_spec("addition").tokenizer == "char"


def test_sums_are_right_and_of_every_length() -> None:
    lengths: Counter[tuple[int, int]] = Counter()
    for document in arithmetic.documents(1, 4000):
        problem, _, total = document.partition("=")
        left, right = problem.split("+")
        assert int(left) + int(right) == int(total) and total == arithmetic.answer(problem)
        assert str(int(left)) == left and str(int(right)) == right
        lengths[len(left), len(right)] += 1
    assert len(lengths) == 16 and min(lengths.values()) > 80


def test_problems_too_few_to_hold_out_are_all_taught() -> None:
    sums = set(arithmetic.documents(1, 30_000))
    assert all(f"{left}+{right}={left + right}" in sums for left in range(10) for right in range(10))
    assert not any(len(document) < len("1+10=11") for document in arithmetic.documents(HELD_OUT_FROM_SEED, 1000))
    assert {f"{letter}>{letter}" for letter in ascii_lowercase} <= set(sorting.documents(1, 5000))
    assert not any(len(document) == 3 for document in sorting.documents(HELD_OUT_FROM_SEED, 1000))


def test_carry_chains_are_common_in_sums() -> None:
    counts = Counter(arithmetic.carries(document.partition("=")[0]) for document in arithmetic.documents(2, 4000))
    assert arithmetic.carries("999+1") == 3 and arithmetic.carries("123+456") == 0
    assert min(counts[carried] for carried in range(5)) > 60


def test_sorted_letters_are_right_and_sometimes_repeat() -> None:
    words = [document.partition(">") for document in sorting.documents(1, 2000)]
    assert all("".join(sorted(word)) == answer == sorting.answer(word + ">") for word, _, answer in words)
    assert {len(word) for word, _, _ in words} == set(range(1, 13))
    assert sum(len(word) >= 8 and len(set(word)) <= 5 for word, _, _ in words) > 50


def test_the_second_half_of_an_induction_document_is_pieces_of_the_first() -> None:
    followed = pairs = 0
    for document in induction.documents(1, 300):
        half = len(document) // 2
        assert len(set(document)) == half and 8 <= half <= 30
        pairs += half - 1
        followed += sum(document[i : i + 2] in document[:half] for i in range(half, len(document) - 1))
        document = induction.repeated_once(document)
        assert document[:half] == document[half:] and len(set(document)) == half
        mask = induction.repeated_half_mask(document)
        assert len(mask) == len(document) and sum(mask) == half - 1 and not mask[half] and mask[half + 1]
    assert 0.65 < followed / pairs < 0.8


def test_a_digit_document_is_a_prompt_and_64_grey_levels() -> None:
    assert len(digits.GREYS) == len(set(digits.GREYS)) == 17
    assert not set(digits.GREYS) & set("digit 0123456789:")
    for document in digits.documents(1, 200):
        head, _, body = document.partition(":")
        assert head[:6] == "digit " and head[6:].isdigit() and len(body) == 64
        pixels = digits.pixels_of(document)
        assert pixels.shape == (8, 8) and digits.text_of(pixels) == body


def test_held_out_digits_are_untouched_pictures() -> None:
    pictures, labels = digits.load_pictures(held_out=True)
    training, _ = digits.load_pictures(held_out=False)
    assert len(training) == 1500 and len(pictures) == len(labels) == 297
    whole = {digits.prompt(label) + digits.text_of(picture) for picture, label in zip(pictures, labels, strict=True)}
    assert set(digits.documents(HELD_OUT_FROM_SEED, 297)) == whole


def test_varied_training_digits_stay_close_to_a_real_one() -> None:
    pictures, labels = digits.load_pictures(held_out=False)
    for document in digits.documents(3, 100):
        same = [p for p, label in zip(pictures, labels, strict=True) if digits.prompt(label) in document]
        distances = [np.abs(p - digits.pixels_of(document)).mean() for p in same]
        assert min(distances) < 2.5


def test_missing_pixels_are_empty() -> None:
    assert digits.pixels_of("digit 1:@@").sum() == 32


def test_library_sources_are_code() -> None:
    sources = list(python_code.documents(0, 30))
    assert sum("import " in source for source in sources) > 15


def test_nothing_is_fetched_unasked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fetched(*_: object, **__: object) -> None:
        raise AssertionError("the network was tried")

    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", fetched)
    for reads in (lambda: list(open_corpus("names")(0, 1)), lambda: datasets.here("tinyshakespeare")):
        with pytest.raises(UserError, match=r"is not on this machine yet; `gpttui data \w+` fetches it"):
            reads()
    assert not next(entry for entry in datasets.listing() if entry.name == "names").here
    names = gallery.bundled_dir() / "names"
    tokens, note = old_text(TrainConfig(data="mine.txt", init=str(names)), Tokenizer.open(names))
    assert tokens is None and "`gpttui data names` fetches it" in note
    assert "not what it learned from" in training_text(names)[0]
