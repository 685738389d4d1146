"""Rows of costs, amounts with units, points against the length of the context."""

from typing import Any

import numpy as np
import pytest

from gpttui.protocol.parts import Cost
from gpttui.tui.views.cost.draw_table import (
    PART_NAMES,
    PART_WORDS,
    SHORT_NAMES,
    Grouping,
    amount,
    cost_rows,
    length_chart,
    milliseconds,
    shown_amount,
    total_row,
)


def made(n_layer: int = 2, mlp: bool = True, **changes: Any) -> Cost:
    """A cost whose numbers are easy to add up."""
    inner = ("qkv", "attend", "project", *(("mlp",) if mlp else ()))
    parts = ("embed", *(inner * n_layer), "unembed")
    layers = [-1, *(layer for layer in range(n_layer) for _ in inner), n_layer]
    count = len(parts)
    numbers = {
        "ms": np.arange(1, count + 1, dtype=np.float32),
        "flops": np.full(count, 10.0),
        "weight_bytes": np.full(count, 100.0),
        "cache_bytes": np.asarray([1000.0 if part == "attend" else 0.0 for part in parts]),
    }
    fixed: dict[str, Any] = {
        "position": 7,
        "layers": np.asarray(layers, dtype=np.int32),
        "parts": parts,
        "kv_bytes": 8,
        "kv_bytes_full": 32,
        "contexts": np.asarray([4, 8]),
        "context_ms": np.asarray([1.0, 2.0]),
        "curve": np.asarray([1, 16, 32]),
        "curve_flops": np.asarray([1.0, 16.0, 32.0]),
        "curve_kv_bytes": np.asarray([1.0, 16.0, 32.0]),
        "n_layer": n_layer,
        "threads": 1,
        "device": "cpu",
    }
    return Cost(**{**fixed, **numbers, **changes})


@pytest.mark.parametrize(
    "by, names",
    [
        ("part", ["embedding", "queries, keys, values", "attend", "mix the heads", "MLP", "logits"]),
        ("layer", ["embedding", "layer 1", "layer 2", "logits"]),
        (
            "each",
            "embedding|1 q, k, v|1 attend|1 mix heads|1 MLP|2 q, k, v|2 attend|2 mix heads|2 MLP|logits".split("|"),
        ),
    ],
)
def test_parts_together_by_kind_by_layer_or_not_at_all(by: Grouping, names: list[str]) -> None:
    rows = cost_rows(made(), by)
    assert [row.name for row in rows] == names
    total = total_row(rows)
    assert (total.ms, total.flops, total.weight_bytes, total.cache_bytes) == (55.0, 100.0, 1000.0, 2000.0)


def test_a_model_without_mlps_has_no_row_for_them() -> None:
    assert all("MLP" not in row.name for by in ("part", "each") for row in cost_rows(made(mlp=False), by))


def test_what_a_bar_shows() -> None:
    row = cost_rows(made(), "part")[2]
    assert (row.amount("ms"), row.amount("flops"), row.amount("bytes")) == (3 + 7, 20, 2 * (100 + 1000))


def test_every_part_has_a_name_and_an_explanation() -> None:
    assert PART_NAMES.keys() == SHORT_NAMES.keys() == PART_WORDS.keys()


@pytest.mark.parametrize(
    "value, unit, text",
    [
        (0.0, "B", "0 B"),
        (999.0, "B", "999 B"),
        (999.7, "B", "1.00 kB"),
        (12_345.0, "B", "12.3 kB"),
        (6.01e6, "FLOP", "6.01 MFLOP"),
        (2.5e12, "FLOP", "2.50 TFLOP"),
    ],
)
def test_amounts_have_three_figures_and_a_unit(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text


def test_times() -> None:
    assert [milliseconds(ms) for ms in (0.0341, 0.9996, 12.34, 140.2)] == ["0.034 ms", "1.00 ms", "12.3 ms", "140 ms"]
    assert shown_amount(1.5, "ms") == "1.50 ms" and shown_amount(1500, "flops") == "1.50 kFLOP"


def test_points_stand_where_they_were_measured() -> None:
    lines = length_chart(None, (np.asarray([1, 11]), np.asarray([0.0, 10.0])), 11, 10.0, 11, 5)
    assert lines[4][0] == "●" and lines[0][10] == "●"
    assert sum(line.count("●") for line in lines) == 2


def test_a_curve_runs_from_corner_to_corner_behind_the_points() -> None:
    x = np.asarray([1, 11])
    lines = length_chart((x, np.asarray([0.0, 10.0])), (x[:1], np.asarray([0.0])), 11, 10.0, 11, 5)
    assert lines[4][0] == "●" and lines[0][10] != " " and lines[2][5] != " " and lines[0][0] == " "


@pytest.mark.parametrize("width, lines", [(0, 3), (3, 0), (1, 1)])
def test_any_room_will_do(width: int, lines: int) -> None:
    x = np.asarray([1, 1])
    drawn = length_chart((x, x * 0.0), (x, x * 0.0), 1, 0.0, width, lines)
    assert len(drawn) == lines and all(len(line) == width for line in drawn)
