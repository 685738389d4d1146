"""What a person can set, typed, each field explained under it; and the TOML file that keeps it.

The file is written with those explanations as comments, so that it can be edited by hand. Reading never fails: whatever
is wrong with the file becomes a notice and the default stands. Not for: state that gpttui itself remembers.
"""

import ast
import json
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from gpttui import locations
from gpttui.errors import UserError, one_line
from gpttui.files import read_text, write_whole


class Settings(msgspec.Struct, frozen=True):
    """All settings. What is left out of the file keeps its default."""

    model: str = ""
    """The model to open: an id, a path or hub:owner/name. Empty: the bundled default."""
    engine: str = ""
    """Command that starts the engine, such as "ssh gpu-box gpttui engine". Empty: on this machine."""
    theme: str = "gpttui-dark"
    """gpttui-dark, gpttui-light, or any of Textual's, such as nord; ansi-dark uses the terminal's own colours."""
    colour_map: Literal["cividis", "viridis"] = "cividis"
    """Colours of amounts: attention, surprisal, entropy, losses. Both read the same with colour-vision deficiencies."""
    colour_mode: Literal["alternate", "surprisal", "entropy"] = "alternate"
    """What the background of a token says at first."""
    animations: bool = True
    """Smooth scrolling and transitions."""
    slow_numbers: bool = False
    """Let changing numbers rest: at most numbers_per_s new ones a second; the text itself goes on at full speed."""
    numbers_per_s: Annotated[float, msgspec.Meta(ge=0.01, le=60)] = 3.0
    """How often numbers change at most when slow_numbers is on."""
    run_per_s: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 0.0
    """Tokens a second that g draws at most; 0: as fast as the model goes. ↑ and ↓ change it while it runs."""
    temperature: Annotated[float, msgspec.Meta(ge=0, le=1e6)] = 0.8
    """Sampling at the start: logits are divided by it; 0 is greedy."""
    top_k: Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)] = 0
    """Sampling at the start: keep the k most probable tokens; 0 keeps all."""
    top_p: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    """Sampling at the start: keep the fewest tokens whose mass reaches p; 1 keeps all."""
    min_p: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """Sampling at the start: keep tokens with this share of the most probable one's probability; 0 keeps all."""
    repetition_penalty: Annotated[float, msgspec.Meta(ge=0.01, le=100)] = 1.0
    """Sampling at the start: divide the logits of tokens already in the text by it; 1 changes nothing."""
    presence_penalty: Annotated[float, msgspec.Meta(ge=-100, le=100)] = 0.0
    """Sampling at the start: subtract it from the logits of tokens already in the text; 0 changes nothing."""
    frequency_penalty: Annotated[float, msgspec.Meta(ge=-100, le=100)] = 0.0
    """Sampling at the start: subtract it as often as the token is already in the text; 0 changes nothing."""
    seed: Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)] = 0
    """Seed of all draws at the start."""
    unpacked_gb: Annotated[float, msgspec.Meta(ge=0, le=1e6)] = 10.0
    """Weights of GGUF files are kept unpacked, so that they open at once the next time: gigabytes at most; 0: none."""
    keymap: dict[str, str] = {}
    """Other keys for a binding, by its id: "step" = "space,n" (the help screen names ids)."""


DEFAULTS = Settings()
MOST_BYTES = 1_000_000


def load(file: Path | None = None) -> tuple[Settings, list[str]]:
    """The settings in `file` (by default the user's own), and a line for each thing that is wrong with it."""
    file = file or locations.settings_file()
    try:
        text = read_text(file, MOST_BYTES)
        import tomllib

        raw = tomllib.loads(text)
    except FileNotFoundError:
        return DEFAULTS, []
    except UserError as error:
        return DEFAULTS, [f"settings left at their defaults: {error}"]
    except (ValueError, RecursionError) as error:
        return DEFAULTS, [f"settings left at their defaults, {file} cannot be read: {one_line(error)}"]
    return _convert(raw, file)


def _convert(raw: dict[str, Any], file: Path) -> tuple[Settings, list[str]]:
    """Field by field, so that one mistake costs one setting."""
    good: dict[str, Any] = {}
    notices = []
    for name, value in raw.items():
        if name not in Settings.__struct_fields__:
            notices.append(f"{file}: there is no setting {name!r}")
            continue
        try:
            converted = msgspec.convert({name: value}, Settings)
        except msgspec.ValidationError as error:
            notices.append(f"{file}: {name} left at {getattr(DEFAULTS, name)!r}: {one_line(error)}")
            continue
        good[name] = getattr(converted, name)
    return Settings(**good), notices


def save(settings: Settings, file: Path | None = None) -> None:
    """Write `settings` whole or not at all. Raises UserError, one line, where the place cannot be written."""
    file = (file or locations.settings_file()).resolve()  # a link to a person's own dotfiles stays a link
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, to_toml(settings))
    except OSError as error:
        raise UserError(f"settings not saved to {file}: {error.strerror or one_line(error)}") from error


def to_toml(settings: Settings) -> str:
    """The settings as TOML; those at their default stand commented out, so that a better default still reaches them."""
    explained = explanations()
    lines = ["# gpttui's settings. Remove the # before a line to set it.", ""]
    for name in Settings.__struct_fields__:
        value = getattr(settings, name)
        lines.append(f"# {explained[name]}")
        if isinstance(value, dict):
            lines.append(f"[{name}]")
            lines += [f"{_toml(key)} = {_toml(remapped)}" for key, remapped in value.items()]
        else:
            mark = "# " if value == getattr(DEFAULTS, name) else ""
            lines.append(f"{mark}{name} = {_toml(value)}")
        lines.append("")
    return "\n".join(lines)


def _toml(value: str | bool | int | float) -> str:
    """One TOML value. A JSON string is a TOML basic string, once DEL, which only TOML forbids, is escaped too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def explanations() -> dict[str, str]:
    """Field name → the sentence under it, read from this module's source; empty where there is none to read."""
    found = dict.fromkeys(Settings.__struct_fields__, "")
    try:
        tree = ast.parse(Path(__file__).read_text(encoding="utf-8"))
    except (OSError, SyntaxError):
        return found
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings")
    for field, text in pairwise(body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=said)):
                found[name] = " ".join(str(said).split())
    return found
