"""What a command line may hold: bytes that are not UTF-8, in every verb, and names that are misspelt."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gpttui.cli import main
from gpttui.cli.options import GIVEN_BYTES, GivenText, Utf8Command
from gpttui.cli.output import print_json
from gpttui.errors import UserError
from gpttui.tui.widgets.train_form import completed
from tests.cli.conftest import Cli

LATIN = "caf\udce9"
"""How Python spells the argument `caf\\xe9`."""


def commands() -> Iterator[tuple[str, click.Command]]:
    yield "gpttui", main.cli
    for name, verb in main.VERBS.items():
        yield name, main.load(verb.target)


def parameters() -> list[tuple[str, str]]:
    """Every parameter of every verb that takes any text, by verb and name."""
    text = (click.types.StringParamType, click.Path)
    return [(name, p.name or "") for name, command in commands() for p in command.params if isinstance(p.type, text)]


def parsed(verb: str, wanted: str, value: str) -> object:
    """What `wanted` is in the context of a command line that gives it `value`, and all that is required besides."""
    command = dict(commands())[verb]
    args, arguments = [], []
    for parameter in command.params:
        if parameter.name != wanted and not parameter.required:
            continue
        given = (
            value if parameter.name == wanted else "1" if isinstance(parameter.type, click.types.IntParamType) else "x"
        )
        if isinstance(parameter.type, click.Choice):
            given = next(iter(parameter.type.choices))
        if isinstance(parameter, click.Option):
            args += [parameter.opts[0], given]
        else:
            arguments.append(given)
    with command.make_context(verb, [*args, *arguments]) as context:
        return context.params[wanted]


def test_every_verb_checks_its_arguments() -> None:
    assert [name for name, command in commands() if not isinstance(command, Utf8Command)] == []


@pytest.mark.parametrize(("verb", "name"), parameters())
def test_an_argument_that_is_not_utf8_is_text_or_refused_in_one_line(verb: str, name: str) -> None:
    kind = next(p.type for p in dict(commands())[verb].params if p.name == name)
    if isinstance(kind, GivenText):
        wanted = LATIN if kind is GIVEN_BYTES else "caf\ufffd"
        assert parsed(verb, name, LATIN) in (wanted, (wanted,))  # a tuple where it may be given more than once
        return
    with pytest.raises(UserError, match="is not UTF-8: caf⟨E9⟩; rename it") as refused:
        parsed(verb, name, LATIN)
    assert str(refused.value).encode()


@pytest.mark.parametrize(
    "args",
    [
        ["generate", "--model", "MODEL", "-n", "1", "--prompt", LATIN],
        ["trace", "--model", "MODEL", "--prompt", LATIN, "--out", "OUT"],
        ["train", "--data", "TEXT", "--layers", "1", "--width", "8", "--context", "8", "--steps", "1",
         "--run-dir", "RUN", "--sample-prompt", LATIN],
    ],
    ids=lambda args: str(args[0]),
)  # fmt: skip
def test_text_that_is_not_utf8_is_taken_and_told(cli: Cli, bpe_model: Path, tmp_path: Path, args: list[str]) -> None:
    text = tmp_path / "text.txt"
    text.write_text("hello world\n" * 50)
    places = {"MODEL": bpe_model, "OUT": tmp_path / "out.npz", "TEXT": text, "RUN": tmp_path / "run"}
    result = cli(*(places.get(arg, arg) for arg in args))
    assert result.code == 0
    assert "gpttui: 1 byte of the text is not UTF-8; each counts as U+FFFD\n" in result.err


def test_in_a_folder_whose_name_is_not_utf8_good_weights_are_not_called_damaged(
    cli: Cli, bpe_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / LATIN
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    (folder / "model").symlink_to(bpe_model)
    (folder / "copy").mkdir()
    for file in bpe_model.iterdir():
        (folder / "copy" / file.name).write_bytes(file.read_bytes())
    (folder / "text.txt").write_text("hello world\n" * 50)
    monkeypatch.chdir(folder)
    assert cli("eval", "--model", "model", "--data", "text.txt").code == 0  # it lies elsewhere
    for args in (
        ["eval", "--model", "./copy", "--data", "text.txt"],
        ["generate", "--model", "./copy"],
        ["tokens", "--model", "./copy", "x"],
        ["train", "--data", "text.txt", "--run-dir", "run", "--steps", "1"],
        ["train", "--data", "text.txt", "--init", "./copy", "--run-dir", "run", "--steps", "1"],
    ):
        result = cli(*args)
        assert result.code == 1 and result.err.count("\n") == 1
        assert "is not UTF-8" in result.err and "damaged" not in result.err


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["train", "--bacth", "4"], "there is no option --bacth; did you mean --batch?"),
        (["generate", "--promt", "x"], "did you mean --prompt?"),
        (["--modle", "x"], "did you mean --model?"),
        (["generate", "--n", "3"], "did you mean -n?"),
        (["train", "--quux", "4"], "gpttui: there is no option --quux (see `gpttui train --help`)"),
        (["modles"], "did you mean 'models'?"),
        (["corpus", "tale"], "no corpus is called 'tale'; did you mean 'tales'?"),
        (["train", "--recipe", "shakespere"], "did you mean 'shakespeare'?"),
        (["generate", "--model", "talse"], "did you mean 'tales'?"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest_one(cli: Cli, args: list[str], hint: str) -> None:
    result = cli(*args)
    assert result.code in (1, 2) and hint in result.err
    assert result.err.count("\n") == 1 and result.err.count("did you mean") <= 1


def test_windows_is_told_what_to_use_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SystemExit, match="Linux and macOS; on Windows, use WSL"):
        main.main(["models"])


def test_json_can_be_written_whatever_a_file_is_called(capfd: pytest.CaptureFixture[str]) -> None:
    print_json({LATIN: [float("nan"), 1.5, float("-inf")], "paths": (LATIN, "漢"), "on": True})
    printed = json.loads(capfd.readouterr().out)
    assert printed == {"caf\ufffd": [None, 1.5, None], "paths": ["caf\ufffd", "漢"], "on": True}


def test_a_path_is_not_completed_to_a_name_that_nothing_could_carry(tmp_path: Path) -> None:
    try:
        (tmp_path / LATIN).mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert completed(f"{tmp_path}/c") == f"{tmp_path}/c"
    (tmp_path / "cats").mkdir()
    assert completed(f"{tmp_path}/c") == f"{tmp_path}/cats/"
