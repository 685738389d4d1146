"""A view on disk has every number of the view in memory."""

import csv
from pathlib import Path

import numpy as np
import pytest

from gpttui.errors import UserError
from gpttui.protocol import parts
from gpttui.protocol import stream as views
from gpttui.sessions.view_files import fields_of, write_table

GRID = views.LensGrid(
    first=2,
    stops=("embed", "0 attn"),
    numbers=np.arange(2, dtype=np.int32),
    top_ids=np.arange(6, dtype=np.int32).reshape(2, 3, 1),
    top_probs=np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3, 1),
    watched_ranks=np.empty((2, 3, 0), dtype=np.int32),
    watched_probs=np.empty((2, 3, 0), dtype=np.float32),
)


def test_npz_has_the_fields(tmp_path: Path) -> None:
    write_table(fields_of(GRID), tmp_path / "new" / "grid.npz")
    with np.load(tmp_path / "new" / "grid.npz", allow_pickle=False) as stored:
        assert set(stored) == set(GRID.__struct_fields__)
        assert np.array_equal(stored["top_probs"], GRID.top_probs) and stored["stops"].tolist() == ["embed", "0 attn"]


def test_csv_has_one_number_a_row(tmp_path: Path) -> None:
    write_table(fields_of(GRID), tmp_path / "grid.csv")
    with (tmp_path / "grid.csv").open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    probs = {(row["i"], row["j"], row["k"]): float(row["value"]) for row in rows if row["name"] == "top_probs"}
    assert len(probs) == 6 and probs["2", "3", "1"] == 1.0
    assert [row["value"] for row in rows if row["name"] == "stops"] == ["embed", "0 attn"]
    assert [row["value"] for row in rows if row["name"] == "first"] == ["2"]


def test_nested_parts_are_numbered(tmp_path: Path) -> None:
    found = (parts.Passage(np.asarray([1, 2]), 1, 0.5), parts.Passage(np.asarray([3]), 0, 0.25))
    write_table(fields_of(parts.Passages(0, 3, found, 10, 10, False, "a text")), tmp_path / "p.npz")
    with np.load(tmp_path / "p.npz", allow_pickle=False) as stored:
        assert stored["found.2.ids"].tolist() == [3] and stored["found.1.activation"] == 0.5


def test_other_files_are_refused(tmp_path: Path) -> None:
    for file, words in ((tmp_path / "a.xls", "npz or .csv"), (tmp_path / "a", "without a suffix")):
        with pytest.raises(UserError, match=words):
            write_table(fields_of(GRID), file)
    (tmp_path / "taken").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        write_table(fields_of(GRID), tmp_path / "taken" / "a.csv")
