"""Damaged models, runs, sessions and settings: each opens right or is one clear line, within 5 s and 500 MB.

By name: pytest -n0 -s tests/benchmarks/test_fuzz_files.py; `CASES` and `FIRST` in the environment take more, or others.
Where transformers opens a damaged model too, its tokens and its logits are ours. The suite takes 150 of the same cases.
"""

import os
from collections import Counter
from pathlib import Path

from tests import damage

CASES, FIRST = int(os.environ.get("CASES", "3000")), int(os.environ.get("FIRST", "1000"))

GGUF_CASES = int(os.environ.get("GGUF_CASES", "300"))


def test_what_is_damaged_opens_right_or_says_why(tmp_path: Path) -> None:
    originals = tmp_path / "originals"
    originals.mkdir()
    damage.make_originals(originals)
    cases = list(damage.tried(originals, FIRST, FIRST + CASES))
    counts = Counter((case.kind, case.outcome) for case in cases)
    slowest, largest = max(case.seconds for case in cases), max(case.peak_mb for case in cases)
    print(f"\n{len(cases)} damaged: {dict(sorted(counts.items()))}; at most {slowest} s and {largest:.0f} MB")
    assert [case for case in cases if not case.is_good] == [] and len(cases) == CASES


def test_damaged_gguf_files_are_a_line_each(tmp_path: Path) -> None:
    originals = tmp_path / "originals"
    originals.mkdir()
    damage.make_originals(originals)
    cases = list(damage.tried(originals, FIRST, FIRST + GGUF_CASES, oracle=False, only="gguf"))
    counts = Counter(case.outcome for case in cases)
    slowest, largest = max(case.seconds for case in cases), max(case.peak_mb for case in cases)
    print(f"\n{len(cases)} damaged GGUF files: {dict(counts)}; at most {slowest} s and {largest:.0f} MB")
    assert [case for case in cases if not case.is_good] == [] and len(cases) == GGUF_CASES
    assert counts["refused"] > GGUF_CASES // 2
