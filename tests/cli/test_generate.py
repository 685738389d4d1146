"""Generated text is the session's own, the JSON adds up, and pictures and sounds are files that others can read."""

import io
import json
import math
import struct
import subprocess
import sys
import wave
import zlib
from pathlib import Path

import numpy as np
import pytest

from gpttui.cli import media
from gpttui.corpora import digits, speech_codes
from gpttui.errors import UserError
from gpttui.inference.opening import open_model
from gpttui.inference.session import Session
from gpttui.records import Sampling
from gpttui.tokenizers import Tokenizer, train_characters, train_words
from tests.begun import PROMPT, begun, greedy
from tests.cli.conftest import Cli, make_model

SAMPLING = ("--temperature", "1.5", "--top-k", "7", "--top-p", "0.9")


def test_every_line_adds_up(cli: Cli, bpe_model: Path) -> None:
    args = ("generate", "--model", bpe_model, "--prompt", "hello", "-n", "20", "--seed", "5", *SAMPLING)
    lines = [json.loads(line) for line in cli(*args, "--json").out.splitlines()]
    assert len(lines) == 20
    first = lines[0]["position"]
    for n, line in enumerate(lines):
        assert list(line) == [
            "position", "id", "text", "prob", "draw", "entropy_bits", "cuts", "shifts", "topk", "elapsed_ms",
        ]  # fmt: skip
        assert line["position"] == first + n
        assert [cut["name"] for cut in line["cuts"]] == ["top-k", "top-p"]
        assert all(set(cut) == {"name", "kept", "removed_mass"} for cut in line["cuts"])
        assert 0 <= line["draw"] < 1 and 0 < line["prob"] <= 1 and 0 < line["entropy_bits"] <= math.log2(262)
        assert len(line["topk"]) == 10 and all(set(entry) == {"id", "text", "prob"} for entry in line["topk"])
        assert line["prob"] == pytest.approx({entry["id"]: entry["prob"] for entry in line["topk"]}[line["id"]])
        assert sum(entry["prob"] for entry in line["topk"]) == pytest.approx(1)
    assert "".join(line["text"] for line in lines) + "\n" == cli(*args).out


def test_the_text_is_the_sessions_own(cli: Cli, char_model: Path) -> None:
    model, tokenizer = open_model(char_model)
    session = Session(model, tokenizer, sampling=Sampling(1.5, 7, 0.9), seed=11, prompt="hello")
    for _ in range(40):
        session.step()
    out = cli("generate", "--model", char_model, "--prompt", "hello", "-n", "40", "--seed", "11", *SAMPLING).out
    assert "hello" + out.removesuffix("\n") == session.text


def test_greedy_draws_nothing(cli: Cli, char_model: Path) -> None:
    args = ("generate", "--model", char_model, "--prompt", "h", "-n", "5", "--temperature", "0", "--json")
    lines = [json.loads(line) for line in cli(*args).out.splitlines()]
    assert all(line["draw"] is None and line["prob"] == 1 and line["id"] == line["topk"][0]["id"] for line in lines)


def test_nothing_asked_nothing_given(cli: Cli, char_model: Path) -> None:
    assert cli("generate", "--model", char_model, "--prompt", "h", "-n", "0", "--json").out == ""


def test_it_stops_where_it_is_told(cli: Cli, char_model: Path) -> None:
    args = ("generate", "--model", char_model, "--prompt", "h", "-n", "500", "--temperature", "2")
    assert cli(*args, "--stop", "\n").out.count("\n") == 2
    assert cli(*args, "--stop", "lo").code == 1
    assert cli(*args, "--stop", "z").code == 1


@pytest.mark.parametrize(
    "args", [("--temperature", "-1"), ("--top-p", "2"), ("--top-k", "-3"), ("--seed", "x"), ("-n", "-1")]
)
def test_settings_that_cannot_be(cli: Cli, char_model: Path, args: tuple[str, str]) -> None:
    result = cli("generate", "--model", char_model, "--prompt", "h", *args)
    assert result.code == 2 and result.err.count("\n") == 1


@pytest.mark.parametrize("prompt", ["", "漢字 [/] \x1b[2J\u202e", "hello " * 100, "👩\u200d💻\udcff"])
def test_any_prompt_goes(cli: Cli, bpe_model: Path, prompt: str) -> None:
    result = cli("generate", "--model", bpe_model, "--prompt", prompt, "-n", "3", "--json")
    assert (result.code, len(result.out.splitlines())) == (0, 3)
    assert result.out.isascii()


def test_all_that_fits_is_written_without_a_word(cli: Cli, char_model: Path) -> None:
    assert cli("generate", "--model", char_model, "--prompt", "hello", "-n", "11").err == ""


def test_a_prompt_longer_than_the_context_is_told(cli: Cli, char_model: Path) -> None:
    result = cli("generate", "--model", char_model, "--prompt", "hello world" * 2, "-n", "1", "--json")
    says = "gpttui: the model does not see the first 8 tokens of the text's 22: its context is 16\n"
    assert (len(result.out.splitlines()), result.err) == (1, says)


def test_a_text_that_outgrows_the_context_is_told_once(cli: Cli, char_model: Path) -> None:
    result = cli("generate", "--model", char_model, "--prompt", "hello", "-n", "20")
    says = "while the text grew, 12 tokens more slid out of the model's sight at its beginning: its context is 16"
    assert result.err == f"gpttui: {says}\n"
    assert "slid" not in result.out


def test_what_a_closed_vocabulary_does_not_have_is_told(cli: Cli, char_model: Path, tmp_path: Path) -> None:
    result = cli("generate", "--model", char_model, "--prompt", "hé zé", "-n", "2")
    says = "gpttui: the model does not know 3 characters of the text ('é', 'z'); each is its token \ufffd\n"
    assert (result.code, result.err) == (0, says)
    trace = cli("trace", "--model", char_model, "--prompt", "z", "--out", tmp_path / "t.npz")
    assert trace.err.startswith("gpttui: the model does not know 1 character of the text ('z')")
    words = make_model(tmp_path / "words", train_words(["the cat"]))
    assert "1 word of the text (' dog')" in cli("generate", "--model", words, "--prompt", "the dog", "-n", "1").err


def test_bytes_that_are_no_text_are_told(cli: Cli, bpe_model: Path) -> None:
    result = cli("generate", "--model", bpe_model, "--prompt", "a\udcff", "-n", "1")
    assert (result.code, result.err) == (0, "gpttui: 1 byte of the text is not UTF-8; each counts as U+FFFD\n")


def test_a_megabyte_of_prompt_comes_through_stdin(bpe_model: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gpttui", "generate", "--model", str(bpe_model), "--prompt", "-", "-n", "2", "--json"],
        input=b"hello world\x00\xff " * 75_000,
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert len(done.stdout.splitlines()) == 2


def test_the_first_prompt_is_the_cards(cli: Cli, tmp_path: Path) -> None:
    model = make_model(tmp_path / "m", train_characters(["hello world\n"]))
    (model / "card.json").write_text('{"prompt": "hello"}')
    assert cli("generate", "--model", model).out == cli("generate", "--model", model, "--prompt", "hello").out


def test_what_is_ablated_stays_ablated(cli: Cli, bpe_model: Path) -> None:
    args = ("generate", "--model", bpe_model, "--prompt", "hello world", "-n", "6", "--json", "--candidates", "262")
    plain, silenced, again = (
        [json.loads(line) for line in cli(*args, *extra).out.splitlines()]
        for extra in ((), ("--ablate", "1.2", "--ablate", "2.mlp"), ("--ablate", "2.mlp", "--ablate", "1.2"))
    )
    assert [line["topk"] for line in plain] != [line["topk"] for line in silenced]
    assert [line["topk"] for line in silenced] == [line["topk"] for line in again]


@pytest.mark.parametrize("target", ["9.1", "1.9", "0.1", "1.0", "1", "x", "1.mlp.99999", "1.2:3>6", ""])
def test_what_cannot_be_ablated_is_one_line(cli: Cli, bpe_model: Path, target: str) -> None:
    result = cli("generate", "--model", bpe_model, "--prompt", "hello", "--ablate", target)
    assert (result.code, result.out) == (1, "") and result.err.count("\n") == 1


def _digits_model(path: Path, token_view: str = "digits") -> Path:
    model = make_model(path, train_characters(["digit 0123456789:\n", digits.GREYS]), context=80)
    (model / "card.json").write_text(json.dumps({"token_view": token_view}))
    return model


def test_a_picture_is_a_png_of_the_pixels_written(cli: Cli, tmp_path: Path) -> None:
    model = _digits_model(tmp_path / "m")
    args = ("generate", "--model", model, "--prompt", "digit 7:", "-n", "64")
    result = cli(*args, "--out", tmp_path / "x.png")
    assert result.code == 0 and "pixels in" in result.err
    data = (tmp_path / "x.png").read_bytes()
    side = 8 * media.ENLARGED
    assert data[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", data[16:24]) == (side, side)
    length = struct.unpack(">I", data[33:37])[0]
    rows = np.frombuffer(zlib.decompress(data[41 : 41 + length]), "u1").reshape(side, side + 1)[:, 1:]
    expected = (digits.pixels_of("digit 7:" + result.out) / 16 * 255).round()
    np.testing.assert_array_equal(rows[:: media.ENLARGED, :: media.ENLARGED], expected)


def test_a_sound_is_a_wav_of_the_codes_written(tmp_path: Path) -> None:
    said = media.write(tmp_path / "x.wav", "speech", "say: seven = " + speech_codes.CHARACTERS[5:55])
    assert said == "1.00 s of sound"
    with wave.open(io.BytesIO((tmp_path / "x.wav").read_bytes())) as file:
        assert file.getnframes() / file.getframerate() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("view", ["digits", "speech"])
def test_text_without_pixels_or_sounds_is_refused(tmp_path: Path, view: str) -> None:
    with pytest.raises(UserError, match="ask for some"):
        media.write(tmp_path / "x", view, "plain text")
    assert not (tmp_path / "x").exists()


def test_out_fits_the_model_or_is_refused_before_anything_runs(cli: Cli, tmp_path: Path, char_model: Path) -> None:
    text = cli("generate", "--model", char_model, "--out", tmp_path / "x.png")
    sound = cli("generate", "--model", _digits_model(tmp_path / "m"), "--out", tmp_path / "x.wav")
    assert (text.code, text.out, sound.code, sound.out) == (1, "", 1, "")
    assert "writes text" in text.err and "ends in .png" in sound.err


def test_an_answer_ends_as_the_models_card_says(cli: Cli) -> None:
    args = ("generate", "--model", "addition", "--prompt", "9+999=", "-n", "10", "--temperature", "0")
    told = cli(*args)
    assert told.out == "1008\n" and told.err == "gpttui: the model has ended its text, with ⏎\n"
    on = cli(*args, "--ignore-eos")
    assert on.out.startswith("1008\n") and len(on.out) == 10 + 1


def test_a_text_begins_and_ends_as_the_models_files_say(cli: Cli, tmp_path: Path) -> None:
    path = begun(tmp_path)
    free = greedy(path, 8)
    end = next(n for n, token_id in enumerate(free) if n >= 2 and token_id not in free[:n])
    path = begun(tmp_path, ends=free[end])
    args = ("generate", "--model", path, "--prompt", PROMPT, "-n", "8", "--temperature", "0")
    told = cli(*args)
    tokenizer = Tokenizer.open(path)
    written = b"".join(map(tokenizer.token_bytes, free[:end])).decode(errors="replace")
    assert told.out == written + "\n"
    assert "the model has ended its text, with" in told.err
    lines = [json.loads(line) for line in cli(*args, "--json").out.splitlines()]
    assert [line["id"] for line in lines] == free[: end + 1]
    assert lines[0]["position"] == len(tokenizer.prompt(PROMPT)) + 1
    on = [json.loads(line) for line in cli(*args, "--json", "--ignore-eos").out.splitlines()]
    assert [line["id"] for line in on] == free
    alone = [json.loads(line) for line in cli(*args, "--json", "--no-bos", "--ignore-eos").out.splitlines()]
    assert alone[0]["position"] == len(tokenizer.encode(PROMPT)) + 1 and len(alone) == 8
    for option, expected in (((), tokenizer.prompt(PROMPT)), (("--no-bos",), tokenizer.encode(PROMPT))):
        cli("trace", "--model", path, "--prompt", PROMPT, "--out", tmp_path / "t.npz", *option)
        assert np.load(tmp_path / "t.npz")["tokens"].tolist() == expected
