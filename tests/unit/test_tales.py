"""The tales corpus is pinned: models are trained on exactly this text."""

from __future__ import annotations

import hashlib

from gpttui.corpora import tales


def test_first_hundred_documents_are_pinned() -> None:
    digest = hashlib.sha256("\n".join(tales.documents(0, 100)).encode()).hexdigest()
    assert digest == "52ca3daa3f193c718f7e10235b820fa8bd714422969ec6bb9d9a903b2045d1df"
