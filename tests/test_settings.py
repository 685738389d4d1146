"""Settings survive a round trip, and no file, however broken, keeps gpttui from running."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gpttui import settings
from gpttui.errors import UserError
from gpttui.settings import DEFAULTS, Settings

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def test_a_missing_file_means_defaults_without_a_word(tmp_path: Path) -> None:
    assert settings.load(tmp_path / "none.toml") == (DEFAULTS, [])


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "settings.toml"
    chosen = Settings(theme="nord", top_k=5, animations=False, keymap={"step": "space,n"}, engine='ssh "a b" \\ gpttui')
    settings.save(chosen, file)
    assert settings.load(file) == (chosen, [])
    assert [path.name for path in file.parent.iterdir()] == ["settings.toml"]


@given(theme=TEXT, keymap=st.dictionaries(TEXT, TEXT, max_size=3), top_p=st.floats(0.01, 1), seed=st.integers(0, 2**62))
@hypothesis_settings(max_examples=100, deadline=None)
def test_any_text_survives_the_file(
    tmp_path_factory: pytest.TempPathFactory, theme: str, keymap: dict[str, str], top_p: float, seed: int
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    chosen = Settings(theme=theme, keymap=keymap, top_p=top_p, seed=seed)
    settings.save(chosen, file)
    assert settings.load(file) == (chosen, [])


def test_every_setting_is_explained_in_the_file() -> None:
    explained = settings.explanations()
    assert set(explained) == set(Settings.__struct_fields__)
    written = settings.to_toml(DEFAULTS)
    for name, sentence in explained.items():
        assert sentence and f"# {sentence}" in written, name
    assert "\n# theme = " in written


def test_one_mistake_costs_one_setting(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('theme = "nord"\ntop_k = "many"\ntop_p = 2.0\ncolour_map = "jet"\nunknown = 1\n')
    loaded, notices = settings.load(file)
    assert loaded == Settings(theme="nord")
    assert len(notices) == 4
    assert all("\n" not in notice for notice in notices)
    assert any("top_k" in notice for notice in notices)


@pytest.mark.parametrize("content", [b"theme = ", b"\xff\xfe\x00", b"[keymap\n"])
def test_a_broken_file_is_a_notice(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(content)
    loaded, notices = settings.load(file)
    assert loaded == DEFAULTS
    assert len(notices) == 1 and str(file) in notices[0]


def test_a_directory_in_its_place_is_a_notice(tmp_path: Path) -> None:
    assert settings.load(tmp_path)[0] == DEFAULTS
    assert len(settings.load(tmp_path)[1]) == 1


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(UserError, match="not saved"):
        settings.save(DEFAULTS, blocker / "settings.toml")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(UserError, match="not saved"):
            settings.save(DEFAULTS, tmp_path / "settings.toml")
    finally:
        tmp_path.chmod(0o700)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("")
    link = tmp_path / "settings.toml"
    link.symlink_to(real)
    settings.save(Settings(seed=3), link)
    assert link.is_symlink() and settings.load(real)[0].seed == 3
