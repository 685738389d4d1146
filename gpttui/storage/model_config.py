"""A model's config.json, of whatever family it is, each value held to its declared type and range. No torch.

Every family carries our names for the same things (`context`, `n_layer`, …), so whoever reads one asks one way;
`GPTConfig` is made of it by `gpttui.model.families`.
"""

import json
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from gpttui.errors import UserError
from gpttui.files import in_words, json_object
from gpttui.storage import gguf, gguf_models
from gpttui.storage.families.family import LARGEST as LARGEST
from gpttui.storage.families.family import Family
from gpttui.storage.families.own import FORMAT
from gpttui.storage.families.registry import INSIDE, family, model_types, strange
from gpttui.storage.gguf import is_gguf
from gpttui.storage.model_files import CONFIG
from gpttui.text import safe_text

Config = Family


def of_model(path: Path) -> Config:
    """The shape of the model in directory or GGUF file `path`. Raises UserError as `read` does."""
    if is_gguf(path):
        return convert(gguf_models.fields(gguf.read(path)), str(path))
    return read(path / CONFIG)


def read(file: Path) -> Config:
    """The model's shape as its file tells it. Raises UserError, naming the field, for all that cannot be."""
    return convert(json_object(file), str(file))


def convert(raw: dict[str, Any], where: str = "config.json") -> Config:
    """`read`, of what the file holds; `where` names it."""
    kind = raw.get("model_type")
    if isinstance(kind, str) and kind in INSIDE and isinstance(raw.get("text_config"), dict):
        raw = raw["text_config"] | {"model_type": INSIDE[kind]}
        kind = INSIDE[kind]
    dialect = family(kind) if isinstance(kind, str) else None
    if has := strange(raw):
        raise UserError(
            f"{where} is of a {safe_text(str(kind)[:40])} model: it has {has}, which gpttui does not compute"
        )
    if dialect is None:
        known = ", ".join(sorted(model_types()))
        raise UserError(f"{where} names the model type {_shown(kind)}; gpttui opens {known}")
    version = raw.get("format", 0)
    if kind == "gpttui" and (type(version) is not int or version > FORMAT):
        if type(version) is int:
            raise UserError(f"{where} was written by a newer gpttui; upgrade gpttui to open this model")
        raise UserError(f"{where} describes an impossible model: format is {_shown(version)}, not a whole number")
    try:
        return msgspec.convert(raw, dialect)
    except msgspec.ValidationError as error:
        name, expected = in_words(error)
        if not name:
            raise UserError(f"{where} {expected}; is the file complete?") from error
        field = next((field for field in msgspec.structs.fields(dialect) if field.encode_name == name), None)
        if field is not None and get_origin(field.type) is Literal:
            expected = f"expected one of {', '.join(get_args(field.type))}"
        says = expected.partition(", got")[0].replace("expected", "not", 1)
        raise UserError(f"{where} describes an impossible model: {name} is {_shown(raw.get(name))}, {says}") from error


def field_name(name: str, config: Config) -> str:
    """What its config.json calls a config's field `name`."""
    return next((f.encode_name for f in msgspec.structs.fields(config) if f.name == name), name)


def _shown(value: Any) -> str:
    """A value of a JSON file as the file has it, a long one cut."""
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
