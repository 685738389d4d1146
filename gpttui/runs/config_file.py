"""A run's config as a file that a person writes or changes: TOML, a line for each field.

For: `gpttui train --config` and `gpttui runs show --config`. Not for: a run's own `config.json`.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from gpttui.errors import UserError, no_such, one_line
from gpttui.files import read_text
from gpttui.runs.config import TrainConfig, changed

LEFT_OUT = frozenset({"before", "lr_scale"})
"""What was done while the run went on, which no new run begins with."""


def to_toml(config: TrainConfig) -> str:
    """A file that trains the same run again: each field that says something; of a run that was given minutes the steps
    that came of them."""
    same = changed(config, minutes=0.0, lr_scale=1.0, before=[])
    lines = []
    for name, value in msgspec.to_builtins(same).items():
        if name not in LEFT_OUT and value not in (None, ""):
            lines.append(f"{name} = {_written(value)}")
    return "\n".join(lines) + "\n"


def _written(value: Any) -> str:
    """JSON's strings, numbers and booleans are TOML's, but for the character DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_toml(file: Path) -> dict[str, Any]:
    """The fields in `file`, checked against those of a config. Raises UserError, one line, for what cannot be."""
    try:
        fields = tomllib.loads(read_text(file))
    except FileNotFoundError as error:
        raise UserError(f"there is no file {file}") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UserError(f"{file.name} is no TOML: {one_line(error)[:160]}") from error
    known = [field.name for field in msgspec.structs.fields(TrainConfig) if field.name not in LEFT_OUT]
    for name in fields:
        if name not in known:
            raise UserError(f"{file.name}: {no_such('field', name, known)}")
    try:
        msgspec.convert({"data": "-"} | fields, TrainConfig)
    except (msgspec.ValidationError, ValueError) as error:
        raise UserError(f"{file.name}: {one_line(error)}") from error
    return fields
