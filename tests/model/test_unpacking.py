"""Weights of a GGUF file are unpacked once, kept and mapped; whatever happens to what is kept, they are right."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

pytest.importorskip("gguf")
transformers: Any = pytest.importorskip("transformers")

from gpttui import locations, settings  # noqa: E402
from gpttui.model import checkpoint, unpacking  # noqa: E402
from gpttui.storage import gguf_models, unpacked  # noqa: E402
from tests import gguf_files  # noqa: E402

FIELDS = {
    "vocab_size": 61, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 32, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))


def written(file: Path, *, seed: int = 0, packing: str = "Q4_0", tied: bool = True) -> Path:
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(**FIELDS, tie_word_embeddings=tied)
    return gguf_files.write(transformers.LlamaForCausalLM(config), file, packing=packing)


def weights(path: Path, **how: Any) -> dict[str, Tensor]:
    return {name: x.clone() for name, x in checkpoint.load(path, **how).state_dict().items()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(x, b[name]) for name, x in a.items())


def kept() -> list[Path]:
    folder = locations.unpacked_dir()
    return sorted(folder.iterdir()) if folder.exists() else []


@pytest.fixture
def unpackings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tensors that were unpacked."""
    found: list[str] = []
    array = gguf_models.Tensor.array

    def counted(self: gguf_models.Tensor) -> Any:
        found.append("")
        return array(self)

    monkeypatch.setattr(gguf_models.Tensor, "array", counted)
    return found


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("large_head", [1, 1 << 24])
def test_a_second_opening_unpacks_nothing_and_is_the_same_model(
    tmp_path: Path, unpackings: list[str], monkeypatch: pytest.MonkeyPatch, dtype: Any, tied: bool, large_head: int
) -> None:
    monkeypatch.setattr(unpacking, "LARGE_HEAD", large_head)
    file = written(tmp_path / "a.gguf", tied=tied)
    monkeypatch.setattr(unpacked, "make_room", lambda size_bytes: False)
    plain = checkpoint.load(file, dtype=dtype)
    assert not kept()
    monkeypatch.undo()
    monkeypatch.setattr(unpacking, "LARGE_HEAD", large_head)
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))
    first = checkpoint.load(file, dtype=dtype)
    unpackings.clear()
    second = checkpoint.load(file, dtype=dtype)
    assert not unpackings and len(kept()) == 1
    for model in (first, second):
        assert same(dict(model.state_dict()), dict(plain.state_dict()))
        strides = [{name: x.stride() for name, x in each.state_dict().items()} for each in (model, plain)]
        assert strides[0] == strides[1]
        assert (model.lm_head.weight is model.transformer.wte.weight) == tied
        assert all(x.dtype == dtype for x in model.state_dict().values())


def test_of_one_file_each_dtype_is_kept(tmp_path: Path) -> None:
    file = written(tmp_path / "a.gguf")
    whole, half = weights(file), weights(file, dtype=torch.bfloat16)
    assert len(kept()) == 2
    assert all(torch.equal(half[name], x.bfloat16()) for name, x in whole.items())


def test_weights_that_are_changed_do_not_change_what_is_kept(tmp_path: Path) -> None:
    file = written(tmp_path / "a.gguf")
    before = weights(file)
    model = checkpoint.load(file)
    model.transformer.ln_f.weight.fill_(7.0)
    assert same(weights(file), before)


def cut(at: Path) -> None:
    os.truncate(at, at.stat().st_size - 100)


def flip(place: float) -> Callable[[Path], None]:
    def flipped(at: Path) -> None:
        data = bytearray(at.read_bytes())
        data[int(place * (len(data) - 1))] ^= 4
        at.write_bytes(data)

    return flipped


DAMAGES: dict[str, Callable[[Path], None]] = {
    "cut": cut,
    "empty": lambda at: at.write_bytes(b""),
    "other": lambda at: at.write_bytes(b"something else altogether" * 100),
    "a pickle": lambda at: at.write_bytes(b"\x80\x04pickled" * 100),
    "of another model": lambda at: at.write_bytes(_of_another(at)),
    "first byte": flip(0),
    "header": flip(0.01),
    "middle": flip(0.5),
    "last byte": flip(1),
}


def _of_another(at: Path) -> bytes:
    torch.manual_seed(5)
    from safetensors.torch import save

    return save({"transformer.wte.weight": torch.ones(3, 3)})


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_made_again(tmp_path: Path, damage: str, unpackings: list[str]) -> None:
    file = written(tmp_path / "a.gguf")
    before = weights(file)
    unpackings.clear()
    DAMAGES[damage](kept()[0])
    assert same(weights(file), before) and unpackings
    unpackings.clear()
    assert same(weights(file), before) and not unpackings


def test_a_file_changed_in_place_is_unpacked_again(tmp_path: Path) -> None:
    file = written(tmp_path / "a.gguf")
    before = weights(file)
    data = bytearray(file.read_bytes())
    middle = len(data) - len(data) // 3
    data[middle] ^= 1
    file.write_bytes(data)
    os.utime(file, ns=(1, 1))
    assert not same(weights(file), before)


def test_the_same_file_elsewhere_is_not_unpacked_again(tmp_path: Path, unpackings: list[str]) -> None:
    file = written(tmp_path / "a.gguf")
    weights(file)
    unpackings.clear()
    (tmp_path / "b.gguf").hardlink_to(file)
    weights(tmp_path / "b.gguf")
    assert not unpackings


def test_what_is_interrupted_leaves_nothing_behind(tmp_path: Path) -> None:
    file = written(tmp_path / "a.gguf")
    told: list[tuple[int, int]] = []

    def interrupted(_part: str, done: int, of: int) -> None:
        told.append((done, of))
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        checkpoint.load(file, progress=interrupted)
    assert not kept() and told == [(n, told[0][1]) for n in range(6)]


def test_numbers_that_are_none_are_refused_and_not_kept(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**FIELDS))
    model.model.norm.weight.data[3] = torch.nan
    file = gguf_files.write(model, tmp_path / "a.gguf")
    with pytest.raises(checkpoint.UserError, match="not finite"):
        checkpoint.load(file)
    assert not kept()


def test_the_oldest_go_and_those_that_never_fit_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [written(tmp_path / f"{seed}.gguf", seed=seed) for seed in range(3)]
    weights(files[0])
    (first,) = kept()
    room = 2.5 * first.stat().st_size

    def limit(size_bytes: float) -> None:
        monkeypatch.setattr(settings, "load", lambda: (settings.Settings(unpacked_gb=size_bytes / 1e9), []))

    limit(room)
    weights(files[1])
    os.utime(first, (1, 1))  # long ago …
    weights(files[0])  # … and used again just now
    second = next(at for at in kept() if at != first)
    os.utime(second, (2, 2))
    weights(files[2])
    assert len(kept()) == 2 and first in kept() and second not in kept()
    limit(0)
    unpacked.clear()
    weights(files[0])
    assert not kept()


def test_without_a_place_to_keep_them_weights_are_made_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path / "a.gguf")
    before = weights(file)
    (tmp_path / "in the way").write_text("a file")
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "in the way"))
    assert same(weights(file), before)


def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path / "a.gguf")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(unpacking, "_sum", full)
    assert weights(file) and not kept()


def test_two_at_once_both_open(tmp_path: Path) -> None:
    """The second begins and ends while the first is at work."""
    file = written(tmp_path / "a.gguf")
    others: list[dict[str, Tensor]] = []

    def meanwhile(_part: str, done: int, _of: int) -> None:
        if done == 4:
            others.append(weights(file))

    first = {name: x.clone() for name, x in checkpoint.load(file, progress=meanwhile).state_dict().items()}
    assert same(first, others[0]) and len(kept()) == 1
