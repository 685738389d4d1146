"""A dead engine's log: its last words in one line, and kept when the next engine begins its own."""

from pathlib import Path

import pytest

from gpttui.engine import launch


def test_the_last_line_is_what_it_died_of(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    assert launch.last_words(log) == "" and launch.last_words(None) == ""
    log.write_text("Traceback (most recent call last):\n  …\nValueError:   no   such\tluck\n\n")
    assert launch.last_words(log) == "ValueError: no such luck"


def test_a_crash_of_python_itself_is_named_not_the_modules_it_had_loaded(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.write_text(
        "Fatal Python error: Segmentation fault\n\nStack:\n  …\nExtension modules: numpy, torch (total: 2)\n"
    )
    assert launch.last_words(log) == "Fatal Python error: Segmentation fault"


def test_a_log_is_kept_aside_and_an_empty_one_is_not(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    assert launch.keep_log(None) is None and launch.keep_log(log) is None
    log.write_text("")
    assert launch.keep_log(log) is None
    log.write_text("why it died\n")
    kept = launch.keep_log(log)
    assert kept is not None and kept.parent == tmp_path and kept.read_text() == "why it died\n" and not log.exists()


@pytest.mark.parametrize("folder", ["no-such-folder", "a-file"])
def test_a_log_that_cannot_be_kept_is_no_reason_to_fail(tmp_path: Path, folder: str) -> None:
    (tmp_path / "a-file").write_text("")
    assert launch.keep_log(tmp_path / folder / "engine.log") is None


def test_the_log_of_the_start_before_is_still_there(tmp_path: Path) -> None:
    log = tmp_path / "log" / "engine.log"
    for words in ("first", "second", "third"):
        with launch.start(["sh", "-c", f"echo {words} >&2"], log) as child:
            child.wait()
    assert log.read_text() == "third\n" and (log.parent / "engine-before.log").read_text() == "second\n"
