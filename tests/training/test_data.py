"""Text to tokens to batches: nothing lost, nothing mixed, a pure function of (seed, step)."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from gpttui.corpora import json_lines
from gpttui.errors import UserError
from gpttui.runs.config import TrainConfig
from gpttui.training import run as runs
from gpttui.training import text
from gpttui.training.data import IGNORED, Encoder, TokenFile, learn_from, open_data, prepare
from gpttui.training.text import open_text
from gpttui.training.token_file import TokenWriter

Tiny = Callable[..., TrainConfig]


def test_both_parts_together_are_the_text(tiny: Tiny, text_file: Path, tmp_path: Path) -> None:
    data = prepare(tiny(), tmp_path / "run")
    whole = text_file.read_text()
    train, val = (data.tokenizer.decode(side.array.tolist()) for side in (data.train, data.val))
    assert train + val == whole
    assert len(train) == int(0.9 * len(whole))


@pytest.mark.parametrize("kind", ["char", "word", "bpe:300"])
def test_every_tokenizer_gives_the_text_back(tiny: Tiny, text_file: Path, tmp_path: Path, kind: str) -> None:
    data = prepare(tiny(tokenizer=kind), tmp_path / "run")
    sides = [data.tokenizer.decode(side.array.tolist()) for side in (data.train, data.val)]
    assert "".join(sides) == text_file.read_text()
    assert data.train.array.dtype == np.uint16


def test_a_cut_inside_a_character_belongs_to_one_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "BLOCK_BYTES", 7)
    file = tmp_path / "é.txt"
    file.write_text("aé\U0001f600ß" * 30, encoding="utf-8")
    for fraction in np.linspace(0.05, 0.95, 19):
        source = open_text(str(file), tmp_path / "spool")
        parts = list(source.split(float(fraction)))
        assert "".join(part for _, part in parts) == file.read_text(encoding="utf-8")
        sides = [side for side, _ in parts]
        assert sides == sorted(sides)
        assert source.notes == []


def test_bytes_that_are_not_utf8_are_counted_and_located(tmp_path: Path, tiny: Tiny) -> None:
    file = tmp_path / "latin.txt"
    file.write_bytes(b"plain words\n" * 100 + b"caf\xe9 \xff\n" + b"plain words\n" * 100)
    data = prepare(tiny(data=str(file)), tmp_path / "run")
    assert data.notes[0] == "2 bytes are not UTF-8 (first: latin.txt, byte 1,204); read as U+FFFD"


@pytest.mark.parametrize("block_bytes", [1, 2, 3, 7, 1 << 20])
@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"], ids=["windows", "old mac", "unix"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "BOM"])
def test_line_ends_and_byte_order_marks_do_not_reach_the_model(
    tmp_path: Path, tiny: Tiny, monkeypatch: pytest.MonkeyPatch, mark: bytes, end: str, block_bytes: int
) -> None:
    lines = ["Füße, fleißig", "", "zwei", ""] * 20
    folder = tmp_path / "texts"
    folder.mkdir()
    for name in ("a.txt", "b.txt"):
        (folder / name).write_bytes(mark + end.join(lines).encode())
    monkeypatch.setattr(text, "BLOCK_BYTES", block_bytes)
    data = prepare(tiny(data=str(folder), val_fraction=0.3), tmp_path / "run")
    sides = [data.tokenizer.decode(side.array.tolist()) for side in (data.train, data.val)]
    assert "".join(sides) == "\n".join(lines) * 2
    assert sum("byte order mark" in note for note in data.notes) == bool(mark)  # said once, not once a file
    assert sum("line ends" in note for note in data.notes) == (end != "\n")
    assert len(sides[1]) == pytest.approx(0.3 * len("".join(sides)), abs=60)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1", "cp1251"])
def test_a_text_in_another_encoding_is_named_with_the_cure(tmp_path: Path, codec: str) -> None:
    words = "съешь ещё этих мягких булок\n" if codec == "cp1251" else "Über die Hörner flöge der Bär.\n"
    (tmp_path / "fine.txt").write_text("plain words\n" * 3)
    file = tmp_path / "ein text.txt"
    file.write_bytes((words * 50).encode(codec))
    looks = {"cp1252": "WINDOWS-1252", "latin-1": "WINDOWS-1252", "cp1251": "ITS-ENCODING"}
    expected = looks.get(codec, codec.upper().replace("-LE", "LE").replace("-BE", "BE"))
    for data in (file, tmp_path):
        with pytest.raises(UserError) as refused:
            open_text(str(data), tmp_path / "spool")
        said = str(refused.value)
        assert said.startswith(f"{file} is not UTF-8") and "\n" not in said
        assert said.endswith(f"iconv -f {expected} -t UTF-8 '{file}' > 'ein text-utf8.txt'")


def test_json_lines_offer_the_field_that_holds_the_text(tmp_path: Path, tiny: Tiny) -> None:
    file = tmp_path / "tales.jsonl"
    records = [{"id": n, "title": f"Tale {n}", "text": f"Once “upon”\r\na time, {n}.", "who": None} for n in range(300)]
    file.write_bytes(b"\xef\xbb\xbf" + "\n\n".join(map(json.dumps, records)).encode())
    assert json_lines.text_fields(file) == ("text", "title")
    plain = prepare(tiny(data=str(file)), tmp_path / "plain")
    assert any("--text-field text learns the text in that field alone" in note for note in plain.notes)
    data = prepare(tiny(data=str(file), text_field="text"), tmp_path / "run")
    sides = [data.tokenizer.decode(side.array.tolist()) for side in (data.train, data.val)]
    assert "".join(sides) == "".join(f"Once “upon”\na time, {n}.\n" for n in range(300))
    with pytest.raises(UserError, match=r"line 1 of tales.jsonl: .* 'txet'; did you mean 'text'"):
        prepare(tiny(data=str(file), text_field="txet"), tmp_path / "other")
    file.write_text('{"text": "a"}\n{"text": "b"\n', encoding="utf-8")
    assert json_lines.text_fields(file) == ()
    with pytest.raises(UserError, match=r"line 2 of tales.jsonl is not a JSON object"):
        open_text(str(file), tmp_path / "spool", "text")
    (tmp_path / "plain.txt").write_text("x y z\n")
    with pytest.raises(UserError, match="does not hold JSON lines"):
        open_text(str(tmp_path / "plain.txt"), tmp_path / "spool", "text")


def test_symbols_are_counted_not_their_bytes(tmp_path: Path) -> None:
    file = tmp_path / "accents.txt"
    file.write_text("éè" * 100, encoding="utf-8")  # both begin with the same byte
    assert open_text(str(file), tmp_path / "spool").size_bytes == 400
    file.write_text("é" * 100, encoding="utf-8")
    with pytest.raises(UserError, match="one single symbol"):
        open_text(str(file), tmp_path / "spool")


def test_what_a_killed_start_encoded_is_no_other_run_s_data(tiny: Tiny, text_file: Path, tmp_path: Path) -> None:
    prepare(tiny(), tmp_path / "run")  # and killed here, before config.json
    other = tmp_path / "other.txt"
    other.write_text("XYZ\n" * 500, encoding="utf-8")
    with runs.start(tiny(data=str(other)), tmp_path / "run") as run:
        assert run.trainer.data.tokenizer.decode(run.trainer.data.train.array[:8].tolist()) == "XYZ\nXYZ\n"
    other.unlink()
    with runs.resume(tmp_path / "run") as run:  # a run keeps what it has
        assert run.trainer.data.tokenizer.decode(run.trainer.data.train.array[:8].tolist()) == "XYZ\nXYZ\n"


def test_an_epoch_reads_every_token_once(tmp_path: Path) -> None:
    stream = TokenFile(np.arange(1000, dtype=np.uint16), context=10)
    batch = stream.draw(seed=1, first=0, count=stream.n_rows)
    assert len(torch.unique(batch.inputs)) == stream.n_rows * 10
    assert torch.equal(batch.targets, batch.inputs + 1)


def test_rows_depend_on_seed_and_position_alone(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 50, 5000).astype(np.uint16)
    one, other = TokenFile(array, context=16), TokenFile(array, context=16)
    whole = one.draw(seed=5, first=0, count=700)  # more than two epochs
    for first in (650, 3, 311):  # in any order, from any place
        part = other.draw(seed=5, first=first, count=8)
        assert torch.equal(part.inputs, whole.inputs[first : first + 8])
    assert not torch.equal(other.draw(seed=6, first=0, count=8).inputs, whole.inputs[:8])


def test_validation_rows_do_not_overlap_and_reach_the_end(tmp_path: Path) -> None:
    stream = TokenFile(np.arange(1000, dtype=np.uint16), context=10)
    starts = stream.spread(10**9)
    assert starts == list(range(0, 990, 10))
    assert len(stream.spread(200)) == 20


def test_rows_from_starts_begin_with_each_line_once_an_epoch(tiny: Tiny, tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("".join(f"line {n} of many, and more of it\n" for n in range(300)))
    config = tiny(data=str(file), from_starts=True, context=32)
    data = prepare(config, tmp_path / "run")
    for side in (data.train, data.val):
        text = data.tokenizer.decode(side.array.tolist())
        batch = side.draw(seed=3, first=0, count=side.n_rows)
        rows = [data.tokenizer.decode(row.tolist()) for row in batch.inputs]
        assert all(row.startswith("\nline " if n % 2 == 0 else "line ") for n, row in enumerate(rows))
        within = text[: len(text) - 32 - 1]
        assert len({row.split()[1] for row in rows}) == len(rows) == within.count("\n")
        assert all(text[start] == "\n" for start in side.spread(10**9))


def test_a_share_of_the_rows_begins_with_a_line_and_the_others_anywhere(tiny: Tiny, tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("".join(f"line {n} of many, and more of it\n" for n in range(300)))
    mixed = prepare(tiny(data=str(file), from_starts=True, starts_share=0.75, context=32), tmp_path / "mixed").train
    starts = open_data(tiny(data=str(file), from_starts=True, context=32), tmp_path / "mixed").train
    stream = open_data(tiny(data=str(file), context=32), tmp_path / "mixed").train
    rows, from_starts, anywhere = (side.draw(3, 0, 64).inputs.tolist() for side in (mixed, starts, stream))
    assert rows == [
        anywhere[n // 4] if n % 4 == 0 else from_starts[n - n // 4 - 1] for n in range(64)
    ]  # of every four rows the first from anywhere
    assert mixed.draw(3, 40, 24).inputs.tolist() == rows[40:]  # what row n holds does not depend on where one asks


def test_rows_from_starts_need_a_newline_token_and_a_long_text(tiny: Tiny, tmp_path: Path) -> None:
    file = tmp_path / "one.txt"
    file.write_text("no line ends here, " * 200)
    with pytest.raises(UserError, match=r"no line of the text begins a whole context before its end|one token"):
        prepare(tiny(data=str(file), from_starts=True), tmp_path / "run")


def test_documents_are_padded_and_padding_is_no_target(tiny: Tiny, tmp_path: Path) -> None:
    file = tmp_path / "sums.txt"
    file.write_text("".join(f"{a}+{b}={a + b}\n" for a in range(20) for b in range(20)))
    config = tiny(data=str(file), documents=True, answer_after="=", prompt_weight=0.25)
    data = prepare(config, tmp_path / "run")
    batch = data.train.draw(seed=0, first=0, count=50)
    assert batch.weights is not None
    for inputs, targets, weights in zip(batch.inputs, batch.targets, batch.weights, strict=True):
        n = int((targets != IGNORED).sum())
        document = data.tokenizer.decode([int(inputs[0]), *targets[:n].tolist()])
        problem, _, answer = document.partition("=")
        left, right = problem.split("+")
        assert answer == f"{int(left) + int(right)}\n"
        assert weights[: len(problem)].tolist() == [0.25] * len(problem)
        assert weights[len(problem) : n].tolist() == [1.0] * (n - len(problem))


def test_a_corpus_keeps_its_held_out_side_apart(tiny: Tiny, tmp_path: Path) -> None:
    config = tiny(data="corpus:addition", documents=True, corpus_documents=500)
    data = prepare(config, tmp_path / "run")
    train, val = (
        {data.tokenizer.decode([int(i) for i in row if i != side.pad]) for row in side.array}
        for side in (data.train, data.val)
    )
    assert train and val and not train & val


def test_a_vocabulary_is_learned_from_the_words_that_a_corpus_wants_too(tiny: Tiny, tmp_path: Path) -> None:
    found = {}
    for name in ("everyday", "world"):
        config = tiny(data=f"corpus:{name}", corpus_documents=60, tokenizer="bpe:3000")
        found[name] = prepare(config, tmp_path / name).tokenizer.encode(" pretrained")
    assert len(found["world"]) == 1 < len(found["everyday"])


def test_stored_tokens_open_memory_mapped(tmp_path: Path) -> None:
    writer = TokenWriter(tmp_path / "x.npy", 70_000)
    writer.append(np.array([1, 69_999]))
    writer.append(np.array([7]))
    assert writer.close() == 3
    array = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert isinstance(array, np.memmap) and array.dtype == np.uint32
    assert array.tolist() == [1, 69_999, 7]


def test_the_character_table_agrees_with_the_tokenizer() -> None:
    tokenizer = learn_from("char", iter(["abc \n\U0001f600é"]))
    sample = "a\U0001f600bé\nzzz c"
    encoder = Encoder(tokenizer)
    assert encoder.encode(sample).tolist() == tokenizer.encode(sample)
    assert encoder.notes() == ["3 tokens are unknown to the vocabulary"]


@pytest.mark.parametrize("kind", ["chars", "bpe", "bpe:x", "bpe:100"])
def test_unknown_tokenizers_are_named(kind: str) -> None:
    with pytest.raises(UserError, match=r"bpe|BPE"):
        learn_from(kind, iter(["text"]))
