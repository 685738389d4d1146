"""Ways for a model's directory to be wrong that its card already tells: for the gallery, the verbs and the screens."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Damage = Callable[[Path], object]


def rewrite_config(**changes: Any) -> Damage:
    """Config fields changed; `...` takes one away."""

    def change(path: Path) -> None:
        config = json.loads((path / "config.json").read_text())
        (path / "config.json").write_text(json.dumps({k: v for k, v in (config | changes).items() if v is not ...}))

    return change


def index(text: str) -> Damage:
    """No weights but what this index names."""

    def change(path: Path) -> None:
        (path / "model.safetensors").unlink()
        (path / "model.safetensors.index.json").write_text(text)

    return change


def text(name: str, content: str) -> Damage:
    return lambda path: (path / name).write_text(content)


def directory(name: str) -> Damage:
    def change(path: Path) -> None:
        (path / name).unlink(missing_ok=True)
        (path / name).mkdir()

    return change


NESTED = "[" * 100_000
HEADER = b'{"a": {"dtype": "F32", "shape": [1e9], "data_offsets": [0, 4]}}'

OF_THE_CARD: dict[str, Damage] = {
    "infinite heads": rewrite_config(n_head=float("inf")),
    "no number of layers": rewrite_config(n_layer=float("nan")),
    "null vocabulary": rewrite_config(vocab_size=None),
    "huge context": rewrite_config(n_positions=10**400),
    "true heads": rewrite_config(n_head=True),
    "nested config": text("config.json", '{"a":' + NESTED),
    "config a directory": directory("config.json"),
    "index of two kinds": index('{"weight_map": {"a": 3, "b": "x"}}'),
    "index a list": index('{"weight_map": [1]}'),
    "index of nothing": index("{}"),
    "index nested": index(NESTED),
    "index of a long name": index(json.dumps({"weight_map": {"a": "x" * 5000}})),
    "index of a missing file": index('{"weight_map": {"a": "model-1.safetensors"}}'),
    "nested card": text("card.json", NESTED),
    "card of huge numbers": text("card.json", json.dumps({"metric_value": 10**400})),
    "card a directory": directory("card.json"),
    "nested tokenizer": text("tokenizer.json", '{"model": ' + NESTED),
    "tokenizer a directory": directory("tokenizer.json"),
    "weights a directory": directory("model.safetensors"),
    "weights a pickle": lambda path: (path / "model.safetensors").write_bytes(b"\x80\x04\x95" + b"x" * 99),
    "header nested": lambda path: (path / "model.safetensors").write_bytes(
        len(NESTED).to_bytes(8, "little") + NESTED.encode()
    ),
    "header of odd shapes": lambda path: (path / "model.safetensors").write_bytes(
        len(HEADER).to_bytes(8, "little") + HEADER + bytes(4)
    ),
}
