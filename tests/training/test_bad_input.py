"""What cannot be trained: one clear line each, a code that is not 0, nothing half-written."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gpttui.cli.main import run as gpttui
from gpttui.runs.config import TrainConfig
from gpttui.training import shape

SMALL = ["--layers", "1", "--heads", "2", "--width", "8", "--context", "16", "--batch", "2", "--steps", "2"]

Refused = Callable[..., str]


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Run `gpttui train` with these options, see it refuse, and give the line it said."""

    def attempt(*options: str, code: int = 1) -> str:
        assert gpttui(["train", *SMALL, "--run-dir", str(tmp_path / "run"), *options]) == code
        captured = capsys.readouterr()
        lines = captured.err.strip().splitlines()
        assert len(lines) == 1 and not captured.out
        assert not (tmp_path / "run").exists()
        return lines[0]

    return attempt


def written(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def test_texts_that_are_none(refused: Refused, tmp_path: Path) -> None:
    assert "is empty" in refused("--data", written(tmp_path / "empty.txt", b""))
    assert "too short" in refused("--data", written(tmp_path / "short.txt", b"to be or not to be"))
    assert "binary" in refused("--data", written(tmp_path / "program", bytes(range(256)) * 50))
    assert "not UTF-8" in refused("--data", written(tmp_path / "utf16.txt", "быть или не быть\n".encode("cp1251") * 50))
    assert "one single symbol ('a')" in refused("--data", written(tmp_path / "a.txt", b"a" * 3_000_000))
    accents = written(tmp_path / "accents.txt", "é".encode() * 50_000)
    for rows in ((), ("--documents",)):
        assert "one single symbol ('é')" in refused("--data", accents, *rows)
    assert "no text at" in refused("--data", str(tmp_path / "missing.txt"))
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "x.png").write_bytes(b"\x89PNG")
    assert "no texts" in refused("--data", str(tmp_path / "pictures"))
    assert "choose one of" in refused("--data", "corpus:nothing")


def test_parents_made_for_a_run_that_cannot_begin_are_taken_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "there").mkdir()
    empty = written(tmp_path / "empty.txt", b"")
    for run in (tmp_path / "there" / "a" / "b" / "run", tmp_path / "there" / "a" / ("x" * 300)):
        assert gpttui(["train", *SMALL, "--run-dir", str(run), "--data", empty]) == 1
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
        assert not list((tmp_path / "there").iterdir())


def test_shapes_that_cannot_be(refused: Refused, text_file: Path) -> None:
    data = ("--data", str(text_file))
    assert "does not divide into 3 heads" in refused(*data, "--heads", "3")
    assert "even head size" in refused(*data, "--arch", "modern", "--width", "6")
    assert "key/value heads" in refused(*data, "--arch", "modern", "--heads", "4", "--kv-heads", "3")
    assert "--context" in refused(*data, "--context", "6000")
    assert "at least 1" in refused(*data, "--layers", "0")
    assert "tokenizer" in refused(*data, "--tokenizer", "sentencepiece")
    assert "at least 256" in refused(*data, "--tokenizer", "bpe:99")
    assert "lr" in refused(*data, "--lr", "-1")
    assert "activation" in refused(*data, "--activation", "swish", code=2)


def test_what_does_not_fit_into_memory_is_refused_before_it_is_tried(
    refused: Refused, text_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "GB are free; use a smaller --batch" in refused("--data", str(text_file), "--batch", "90000000")
    monkeypatch.setattr(shape, "free_memory_bytes", lambda device: 10_000)
    assert "smaller --batch" in refused("--data", str(text_file))


def test_directories_that_cannot_be_written(
    tmp_path: Path, text_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    assert gpttui(["train", *SMALL, "--data", str(text_file), "--run-dir", str(in_the_way / "run")]) == 1
    assert "cannot write to the run directory" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is the one place that even root cannot write to")
def test_a_read_only_place_is_refused(text_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gpttui(["train", *SMALL, "--data", str(text_file), "--run-dir", "/proc/run"]) == 1
    assert "cannot write to the run directory" in capsys.readouterr().err


def test_resuming_what_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gpttui(["train", "--resume"]) == 2
    assert gpttui(["train", "--resume", "--run-dir", str(tmp_path / "nothing")]) == 1
    assert "not a run directory" in capsys.readouterr().err
    assert not (tmp_path / "nothing").exists()


def test_an_unknown_recipe_names_those_there_are(refused: Refused) -> None:
    assert "speedrun" in refused("--recipe", "cake")


def test_a_config_says_which_field_is_wrong() -> None:
    with pytest.raises(ValueError, match="val_fraction"):
        TrainConfig(data="x", val_fraction=1.0)
    with pytest.raises(ValueError, match="starts_share must be above 0"):
        TrainConfig(data="x", from_starts=True, starts_share=0.0)
    with pytest.raises(ValueError, match="set from_starts too"):
        TrainConfig(data="x", starts_share=0.5)
    with pytest.raises(ValueError, match="dropout"):
        TrainConfig(data="x", dropout=1.0)
