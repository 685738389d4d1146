"""The README's commands, run as they stand there: a reader types them and they work."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SHORTER = {"--minutes 10": "--steps 4", "--recipe sort": "--recipe sort --steps 2 --corpus-documents 400"}
"""What would take minutes. All else stands as in the README."""
NEED_A_TERMINAL = ("gpttui watch", "gpttui --model")
TEXT = "The cat sat on the mat, and the dog sat on the log.\n" * 400


def commands(heading: str) -> list[str]:
    """The lines of the first block of shell commands under a heading."""
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    section = readme.split(f"\n## {heading}\n")[1]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block is not None
    return block[1].strip().split("\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the reader stands: a text of their own, another, and (made by the first commands) a run."""
    made = tmp_path_factory.mktemp("reader")
    for name in ("my.txt", "other.txt"):
        (made / name).write_text(TEXT, encoding="utf-8")
    return made


def typed(command: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    for long, short in SHORTER.items():
        command = command.replace(long, short)
    scripts = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, timeout=170)


def test_train_and_use_the_run(folder: Path) -> None:
    """One test: the commands build on one another. Then the pipe, which uses the run."""
    for command in [*commands("Train"), *commands("In a pipe")]:
        done = typed(command, folder)
        said = done.stderr.decode()
        if command.startswith(NEED_A_TERMINAL):
            assert done.returncode == 2 and "needs a terminal" in said, f"{command}: {said}"
        else:
            assert done.returncode == 0, f"{command}: {said}"
    assert {"seven.png", "seven.wav", "trace.npz"} <= {path.name for path in folder.iterdir()}
    assert (folder / "somewhere/else/model.safetensors").is_file()
