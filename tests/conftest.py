"""Shared by all tests: one torch thread, where the test texts lie, small random models."""

import atexit
import gc
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from gpttui.corpora import datasets
from tests import at_rest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

if "GPTTUI_HOME" not in os.environ:  # nothing of the machine's own runs, models and fetched texts is seen
    os.environ["GPTTUI_HOME"] = tempfile.mkdtemp(prefix="gpttui-tests-")
    atexit.register(shutil.rmtree, os.environ["GPTTUI_HOME"], ignore_errors=True)

at_rest.teach_the_pilot()

REPOSITORY = Path(__file__).parent.parent


def data_folder() -> Path | None:
    """Texts and vocabularies for tests: `GPTTUI_TEST_DATA`, or a `shared/data` folder beside the repository."""
    named = os.environ.get("GPTTUI_TEST_DATA")
    places = [Path(named)] if named else [REPOSITORY.parent / "shared" / "data"]
    return next((place for place in places if place.is_dir()), None)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    folder = data_folder()
    if folder is None:
        pytest.skip("no test texts: set GPTTUI_TEST_DATA to a folder with tinyshakespeare.txt and GPT-2's vocabulary")
    return folder


@pytest.fixture
def public_texts(data_dir: Path) -> None:
    """The public texts, as if they had been fetched."""
    for text in datasets.PUBLIC_TEXTS.values():
        datasets.file_of(text).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(data_dir / f"{text.name}.txt", datasets.file_of(text))


def pytest_collection_finish() -> None:
    """What is loaded by now stays: half a million objects of libraries, looked through for garbage by every test."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
