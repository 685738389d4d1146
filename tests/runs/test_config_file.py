"""A run's config as TOML: what is written is read again as the same run, and what cannot be is one line."""

from pathlib import Path

import pytest

from gpttui.errors import UserError
from gpttui.runs.config import Stretch, TrainConfig, changed
from gpttui.runs.config_file import read_toml, to_toml

ODD = TrainConfig(
    data='a "quoted" \\ text\n\x7f\t é 😀', sample_prompt="[x] = 1", layers=2, heads=2, width=16, mlp_width=0, lr=3e-5,
    tied=False, answer_after="=", prompt_weight=0.1, recipe="sort", compile=True, kv_heads=1,
)  # fmt: skip


@pytest.mark.parametrize("config", [TrainConfig(data="text.txt"), ODD], ids=["plain", "odd"])
def test_a_file_trains_the_same_again(config: TrainConfig, tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text(to_toml(config), encoding="utf-8")
    assert changed(TrainConfig(data="-"), **read_toml(file)) == config


def test_of_minutes_the_steps_are_kept_and_of_changes_on_the_way_nothing(tmp_path: Path) -> None:
    run = TrainConfig(data="-", minutes=3.0, steps=321, lr_scale=2.0, before=(Stretch(5, 100),))
    file = tmp_path / "run.toml"
    file.write_text(to_toml(run), encoding="utf-8")
    assert changed(TrainConfig(data="x"), **read_toml(file)) == TrainConfig(data="-", steps=321)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("layres = 3", "layers"), ('layers = "three"', "layers"), ("layers = 0", "layers"), ("layers", "no TOML"),
        ("lr_scale = 2.0", "lr_scale"), ("[data]\nx = 1", "data"), ("heads = 3\nwidth = 16", "width"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(tmp_path: Path, written: str, said: str) -> None:
    file = tmp_path / "run.toml"
    file.write_text(written, encoding="utf-8")
    with pytest.raises(UserError) as wrong:
        read_toml(file)
    assert said in str(wrong.value) and "\n" not in str(wrong.value)
    with pytest.raises(UserError, match="no file"):
        read_toml(tmp_path / "nothing.toml")
