"""Models are found and described from their headers, whoever wrote them, whatever is wrong with them."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from gpttui import locations
from gpttui.errors import UserError
from gpttui.model import checkpoint
from gpttui.model.gpt import GPT, GPTConfig
from gpttui.runs.events import EvalDone, RunEnded, StepDone, encode_event
from gpttui.storage import gallery
from gpttui.tokenizers import Tokenizer, train_bpe, train_characters, train_words
from tests import bad_models


def make_model(path: Path, tokenizer: Tokenizer | None = None, **changes: object) -> GPT:
    """A small random model directory."""
    tokenizer = tokenizer or train_characters(["abc"])
    shape = {"vocab_size": tokenizer.vocab_size, "context": 16, "n_layer": 2, "n_head": 2, "d_model": 8}
    model = GPT(GPTConfig(**shape | changes))  # type: ignore[arg-type]
    checkpoint.save(model, path)
    (path / "tokenizer.json").write_text(tokenizer.to_json(), encoding="utf-8")
    return model


@pytest.fixture(autouse=True)
def _shelves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(gallery, "bundled_dir", lambda: tmp_path / "bundled")


def own(name: str) -> Path:
    return gallery.shelves()["own"] / name


def bundled(name: str) -> Path:
    return gallery.shelves()["bundled"] / name


def params(model: GPT) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("modern", [True, False])
def test_the_card_says_what_loading_would(tmp_path: Path, tied: bool, modern: bool) -> None:
    changes = {"norm": "rmsnorm", "positions": "rope", "bias": False, "activation": "swiglu"} if modern else {}
    model = make_model(tmp_path / "m", tied=tied, **changes)
    card = gallery.card(tmp_path / "m")
    assert card.params == params(model)
    assert (card.n_layer, card.n_head, card.d_model, card.vocab_size, card.context) == (2, 2, 8, 4, 16)
    assert card.size_bytes == (tmp_path / "m" / "model.safetensors").stat().st_size
    assert card.id == "m" and card.path == str(tmp_path / "m")


def test_the_card_of_a_hugging_face_directory(tmp_path: Path) -> None:
    model = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_positions=16, n_embd=8, n_layer=2, n_head=2))
    model.save_pretrained(tmp_path)
    card = gallery.card(tmp_path)
    assert card.params == sum(p.numel() for p in model.parameters())
    assert card.tokenizer == "none" and card.metric_value is None and card.data == ""


def test_the_card_of_shards_with_old_mask_buffers(tmp_path: Path) -> None:
    model = make_model(tmp_path)
    tensors = checkpoint.read_tensors(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    names = sorted(tensors)
    shards = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, held in shards.items():
        mask = {"transformer.h.0.attn.bias": torch.ones(16, 16), "lm_head.weight": torch.ones(4, 8)}
        extra = mask if file[0] == "a" else {}
        checkpoint.write_tensors({name: tensors[name] for name in held} | extra, tmp_path / file)
    index = {"weight_map": {name: file for file, held in shards.items() for name in held}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert gallery.card(tmp_path).params == params(model)
    assert gallery.verify(tmp_path) == "ok"


@pytest.mark.parametrize(
    "tokenizer",
    [train_characters(["hello"]), train_words(["the cat sat"]), train_bpe(["hello hello"], 260)],
    ids=["characters", "words", "bpe"],
)
def test_the_tokenizer_in_words_is_what_the_tokenizer_says(tmp_path: Path, tokenizer: Tokenizer) -> None:
    make_model(tmp_path, tokenizer)
    assert gallery.card(tmp_path).tokenizer == tokenizer.kind


def test_gpt2s_own_vocabulary_in_words(tmp_path: Path, data_dir: Path) -> None:
    make_model(tmp_path, vocab_size=50257)
    (tmp_path / "tokenizer.json").unlink()
    for ours, theirs in (("vocab.json", "gpt2_vocab.json"), ("merges.txt", "gpt2_merges.txt")):
        (tmp_path / ours).write_bytes((data_dir / theirs).read_bytes())
    assert gallery.card(tmp_path).tokenizer == Tokenizer.open(tmp_path).kind == "byte-level BPE 50257"


def test_a_card_takes_milliseconds(tmp_path: Path) -> None:
    make_model(tmp_path, train_bpe(["hello"], 256), n_layer=12)
    gallery.card(tmp_path)
    best_ms = min(_elapsed_ms(tmp_path) for _ in range(5))
    load_ms = -time.perf_counter() * 1e3
    checkpoint.load(tmp_path)
    load_ms += time.perf_counter() * 1e3
    assert best_ms < load_ms


def _elapsed_ms(path: Path) -> float:
    start = time.perf_counter()
    gallery.card(path)
    return (time.perf_counter() - start) * 1e3


def test_what_the_card_file_adds(tmp_path: Path) -> None:
    make_model(tmp_path)
    extra = {"data": "abc", "metric_name": "val loss", "metric_value": 1.5, "prompts": ["a", "b"]}
    (tmp_path / "card.json").write_text(json.dumps(extra | {"unheard of": 1}))
    card = gallery.card(tmp_path)
    assert (card.data, card.metric_name, card.metric_value, card.prompts) == ("abc", "val loss", 1.5, ("a", "b"))
    listed = gallery.as_listed(card)
    assert list(listed) == [
        "id", "title", "path", "params", "n_layer", "n_head", "d_model", "vocab_size", "context", "tokenizer", "data",
        "cannot", "ends", "metric", "size_bytes",
    ]  # fmt: skip
    assert listed["metric"] == {"name": "val loss", "value": 1.5}


def test_the_default_is_tales_then_shakespeare_then_any() -> None:
    with pytest.raises(UserError, match="no model is here"):
        gallery.default_model()
    make_model(bundled("zebra"))
    assert gallery.find(None) == bundled("zebra")
    make_model(bundled("shakespeare"))
    assert gallery.find(None) == bundled("shakespeare")
    make_model(bundled("tales"))
    assert gallery.find("") == bundled("tales")


def test_own_models_come_behind_bundled_ones_and_namesakes_say_which_they_are() -> None:
    make_model(bundled("tales"))
    make_model(bundled("names"))
    make_model(own("mine"))
    make_model(own("names"))
    assert [card.id for card in gallery.cards()[0]] == ["bundled:names", "tales", "mine", "own:names"]
    assert gallery.find("names") == gallery.find("own:names") == own("names")
    assert gallery.find("bundled:names") == bundled("names")


def test_a_new_run_has_a_name_that_no_model_and_no_run_has() -> None:
    make_model(bundled("names"))
    make_model(own("words"))
    assert gallery.new_run_dir("names") == locations.runs_dir() / "my-names"
    assert gallery.new_run_dir("words") == locations.runs_dir() / "words-2"
    (locations.runs_dir() / "my-names").mkdir(parents=True)
    assert gallery.new_run_dir("names") == locations.runs_dir() / "my-names-2"
    assert gallery.new_run_dir("../a b") == locations.runs_dir() / "a-b"


def test_a_path_opens_and_an_unknown_id_suggests(tmp_path: Path) -> None:
    make_model(bundled("shakespeare"))
    make_model(tmp_path / "elsewhere")
    assert gallery.find(str(tmp_path / "elsewhere")) == tmp_path / "elsewhere"
    with pytest.raises(UserError, match="did you mean 'shakespeare'"):
        gallery.find("shakespear")
    with pytest.raises(UserError, match="gpttui models"):
        gallery.find("qqqq")
    with pytest.raises(UserError, match="no model at"):
        gallery.find("no/such/place")
    with pytest.raises(UserError):
        gallery.find("a\0b")
    with pytest.raises(UserError):
        gallery.find("x" * 5000)


def test_what_is_broken_is_named_and_the_rest_is_listed() -> None:
    make_model(bundled("good"))
    make_model(bundled("cut"))
    weights = bundled("cut") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    make_model(bundled("unshaped"))
    (bundled("unshaped") / "config.json").write_text('{"model_type": "gpt2", "n_layer": 0}')
    make_model(bundled("weightless"))
    (bundled("weightless") / "model.safetensors").unlink()
    make_model(bundled("torn"))
    (bundled("torn") / "config.json").write_text('{"model')
    cards, broken = gallery.cards()
    assert [card.id for card in cards] == ["good"]
    assert len(broken) == 4 and not any("\n" in line for line in broken)


@pytest.mark.parametrize("name", sorted(bad_models.OF_THE_CARD))
def test_nothing_broken_hides_the_good_ones(name: str) -> None:
    make_model(own("good"))
    make_model(own("bad"))
    bad_models.OF_THE_CARD[name](own("bad"))
    cards, broken = gallery.cards()
    assert [card.id for card in cards] == ["good"]
    assert len(broken) == 1 and "\n" not in broken[0] and len(broken[0]) < 400
    assert str(own("bad")) in broken[0] and "Errno" not in broken[0]


def test_a_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    make_model(own("bad"))
    own("bad").rename(own(os.fsdecode(b"bad\xff")))
    cards, broken = gallery.cards()
    assert not cards and "is not UTF-8" in broken[0] and broken[0].encode()


def test_half_characters_of_a_card_are_refused(tmp_path: Path) -> None:
    make_model(tmp_path)
    (tmp_path / "card.json").write_text(r'{"summary": "a\ud800b", "prompts": ["\udfff"]}')
    with pytest.raises(UserError, match=r"card\.json cannot be read"):
        gallery.card(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"\x80", b"\xff" * 64, b"\x10" + b"\0" * 7 + b'{"a": [1, 2, 3]}', b"PK\x03\x04" * 9]
)
def test_what_is_no_safetensors_file_is_refused(tmp_path: Path, content: bytes) -> None:
    make_model(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(UserError, match=r"model\.safetensors"):
        gallery.card(tmp_path)


def test_a_flipped_bit_is_found_without_torch(tmp_path: Path) -> None:
    make_model(tmp_path)
    assert gallery.verify(tmp_path) == "ok"
    data = bytearray((tmp_path / "model.safetensors").read_bytes())
    data[-5] ^= 4
    (tmp_path / "model.safetensors").write_bytes(data)
    with pytest.raises(UserError, match="checksum"):
        gallery.verify(tmp_path)


def test_the_recorded_history(tmp_path: Path) -> None:
    assert gallery.history(tmp_path) is None
    told = {"title": "t", "steps": [0, 10], "losses_nats": [4.0, 3.0], "val_steps": [10], "val_losses_nats": [3.5]}
    (tmp_path / "history.json").write_text(json.dumps(told))
    history = gallery.history(tmp_path)
    assert history is not None and history.title == "t"
    np.testing.assert_array_equal(history.losses_nats, [4.0, 3.0])
    assert not history.steps.flags.writeable
    (tmp_path / "history.json").write_text(json.dumps(told | {"steps": [1]}))
    with pytest.raises(UserError, match="differ in number"):
        gallery.history(tmp_path)


def test_the_hub_without_a_network_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code = (
        "from gpttui.storage import gallery\nfrom gpttui.errors import UserError\n"
        "for name in ('hub:nobody/none', 'hub:bad name'):\n"
        "    try: gallery.find(name)\n"
        "    except UserError as error: print(error)\n"
    )
    env = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PATH": ""}
    out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
    lines = out.splitlines()
    assert len(lines) == 2
    assert "cannot be reached" in lines[0] and "OWNER/NAME" in lines[1]


def test_a_run_stands_for_its_newest_checkpoint(tmp_path: Path) -> None:
    run = tmp_path / "my-run"
    run.mkdir()
    (run / "config.json").write_text("{}")
    events = [
        RunEnded(step=20, reason="steps", val_loss_nats=2.0, best_val_loss_nats=2.0, elapsed_s=1.0),
        EvalDone(step=10, val_loss_nats=2.5, tokens=10, elapsed_s=1.0),
        *(
            StepDone(
                step=n, loss_nats=4 - n / 10, lr=1.0, grad_norm=1.0, layer_grad_norms=[], tokens_per_s=1.0, elapsed_s=n
            )
            for n in range(1, 21)
        ),
    ]
    (run / "events.jsonl").write_bytes(b"".join(encode_event(event) + b"\n" for event in events))
    with pytest.raises(UserError, match="no checkpoint yet"):
        gallery.find(str(run))
    for step in (10, 20):
        make_model(run / "checkpoints" / f"{step:08d}")
        (run / "checkpoints" / f"{step:08d}" / "training.json").write_text("{}")
    assert gallery.find(str(run)) == run / "checkpoints" / "00000020"
    earlier = run / "checkpoints" / "00000010"
    assert gallery.find(str(earlier)) == earlier
    assert gallery.card(earlier).id == "my-run@10"
    history = gallery.history(earlier)
    assert history is not None and history.title == "my-run"
    assert history.steps.tolist() == list(range(1, 11)) and history.val_losses_nats.tolist() == [2.5]
