"""`--session`: the text goes on where it was saved; a file that cannot be replayed is one line, before any screen."""

import json
from pathlib import Path

import msgspec
import pytest

from gpttui.cli import play
from gpttui.inference.opening import open_model
from gpttui.inference.session import Session
from gpttui.interventions import AblateHead
from gpttui.records import Sampling
from gpttui.sessions.tree import SessionFile, save_session
from gpttui.storage import gallery
from tests.cli.conftest import Cli

SAMPLING = Sampling(1.2, 7, 0.9)


def saved(model: Path, file: Path, **changes: object) -> SessionFile:
    """A session of three drawn tokens and one that was picked, under a silenced head."""
    gpt, tokenizer = open_model(model)
    card = gallery.card(model)
    text = Session(gpt, tokenizer, sampling=SAMPLING, seed=5, prompt="hello")
    for _ in range(3):
        text.step()
    text.append(0)
    fields: dict[str, object] = {
        "model": str(model), "vocab_size": card.vocab_size, "params": card.params, "prompt": "hello",
        "appended": text.ids[text.n_prompt :].tolist(), "picked": [False, False, False, True],
        "sampling": SAMPLING, "seed": 5, "interventions": [AblateHead(1, 0)],
    }  # fmt: skip
    session = SessionFile(**fields | changes)  # type: ignore[arg-type]
    save_session(session, file)
    return session


def test_generate_goes_on_behind_the_saved_text(cli: Cli, bpe_model: Path, tmp_path: Path) -> None:
    session = saved(bpe_model, tmp_path / "s.json", interventions=[], appended=[], picked=[])
    plain = ("generate", "--model", bpe_model, "--prompt", "hello", "--seed", "5", "--temperature", "1.2",
             "--top-k", "7", "--top-p", "0.9", "-n", "8", "--json")  # fmt: skip
    whole = [json.loads(line)["id"] for line in cli(*plain).out.splitlines()]
    for kept in (0, 3):
        part = msgspec.structs.replace(session, appended=whole[:kept], picked=[False] * kept)
        save_session(part, tmp_path / "part.json")
        lines = cli("generate", "--session", tmp_path / "part.json", "-n", str(8 - kept), "--json").out.splitlines()
        assert [json.loads(line)["id"] for line in lines] == whole[kept:]


def test_generate_keeps_what_was_changed(cli: Cli, bpe_model: Path, tmp_path: Path) -> None:
    saved(bpe_model, tmp_path / "altered.json")
    saved(bpe_model, tmp_path / "plain.json", interventions=[])
    args = ("-n", "1", "--json", "--candidates", "262")
    one, other = (
        json.loads(cli("generate", "--session", tmp_path / f"{name}.json", *args).out) for name in ("altered", "plain")
    )
    assert one["topk"] != other["topk"] and one["position"] == other["position"]


@pytest.mark.parametrize("verb", [("generate",), ()])
def test_what_cannot_be_replayed_is_one_line(
    cli: Cli, bpe_model: Path, char_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: tuple[str, ...]
) -> None:
    monkeypatch.setattr(play, "need_terminal", lambda _: None)
    file = tmp_path / "s.json"
    saved(bpe_model, file)
    good = json.loads(file.read_text())
    for change, words in (
        ({"version": 99}, "newer gpttui"),
        ({"format": "other"}, "not a gpttui session"),
        ({"appended": ["x"]}, "damaged"),
        ({"model": str(char_model)}, "--model PATH"),
        ({"params": 7}, "7 parameters"),
        ({"model": "nowhere/at-all"}, "model is not here"),
        ({"sampling": {"temperature": -1.0}}, "temperature"),
    ):
        file.write_text(json.dumps(good | change))
        result = cli(*verb, "--session", file)
        assert (result.code, result.out, result.err.count("\n")) == (1, "", 1) and words in result.err, change
    file.write_bytes(b"\xff\x00 garbage")
    assert "cannot be read" in cli(*verb, "--session", file).err
    assert "cannot be read" in cli(*verb, "--session", tmp_path / "missing.json").err


def test_a_change_that_the_model_lacks_is_told_with_the_file(cli: Cli, bpe_model: Path, tmp_path: Path) -> None:
    saved(bpe_model, tmp_path / "s.json", interventions=[AblateHead(77, 0)])
    result = cli("generate", "--session", tmp_path / "s.json", "-n", "1")
    assert result.code != 0 and not result.out and "Traceback" not in result.err
    assert f"{tmp_path / 's.json'} cannot be brought back: there is no layer 78" in result.err
    assert "--model PATH" in result.err


def test_options_that_the_session_answers_are_refused(cli: Cli, bpe_model: Path, tmp_path: Path) -> None:
    saved(bpe_model, tmp_path / "s.json")
    for extra in (("--seed", "1"), ("--ablate", "1.1"), ("--top-k", "3"), ("--prompt", "x")):
        result = cli("generate", "--session", tmp_path / "s.json", *extra)
        assert result.code == 2 and f"own {extra[0]}" in result.err
    for extra in (("--prompt", "x"), ("--seed", "1"), ("--train", "x.txt")):
        result = cli("--session", tmp_path / "s.json", *extra)
        assert result.code == 2 and "leave out" in result.err


def test_last_is_one_line_where_nothing_was_left(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path))
    assert "there is nothing to continue" in cli("--last").err
    assert cli("--last", "--session", tmp_path / "s.json").code == 2
    saved = tmp_path / "data" / "last.json"
    saved.parent.mkdir()
    saved.write_text("{}", encoding="utf-8")
    assert "last.json" in cli("--last").err
