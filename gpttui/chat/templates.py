"""The chat template of a model, and what it is given beside the messages. No torch, no screen.

Where transformers looks, in its order: chat_template.jinja (others under additional_chat_templates/), then
tokenizer_config.json, there one text or several with names; in a GGUF file `tokenizer.chat_template`.
"""

from pathlib import Path
from typing import Any

import msgspec

from gpttui.errors import UserError
from gpttui.files import json_object, read_text
from gpttui.storage import gguf
from gpttui.storage.gguf import is_gguf
from gpttui.text import safe_text

LONGEST = 500_000
DEFAULT = "default"
FILE, FOLDER, CONFIG = "chat_template.jinja", "additional_chat_templates", "tokenizer_config.json"
OF_GGUF = {"bos": "bos", "eos": "eos", "unk": "unknown", "sep": "seperator", "pad": "padding"}
"""transformers' names of special tokens, and llama.cpp's."""


class ChatTemplate(msgspec.Struct, frozen=True):
    """One template of a model."""

    source: str
    tokens: dict[str, str]
    """The model's special tokens by name (`bos_token` …), which templates write by name."""
    names: tuple[str, ...] = ()
    """Of all its templates."""


def find(path: Path, name: str = "") -> ChatTemplate:
    """The template called `name` (by default `default`, or the only one) of the model in directory or file `path`.

    Raises UserError, one line, where it has none, or none of that name.
    """
    sources, tokens = _of_gguf(path) if is_gguf(path) else _of_directory(path)
    if not sources:
        raise UserError("this model has no chat template: it continues a text, and was not taught to converse")
    chosen = name or (DEFAULT if DEFAULT in sources else next(iter(sources)) if len(sources) == 1 else "")
    if chosen not in sources:
        names = ", ".join(safe_text(known[:40]) for known in sorted(sources)[:10])
        raise UserError(f"this model has no chat template {safe_text(chosen[:40])!r}; its templates: {names}")
    if len(sources[chosen]) > LONGEST:
        raise UserError(f"the chat template is {len(sources[chosen]):,} characters long; gpttui reads {LONGEST:,}")
    return ChatTemplate(sources[chosen], tokens, tuple(sources))


def _of_directory(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    config, named = ({}, {}) if not (path / CONFIG).exists() else (json_object(path / CONFIG), {})
    if (path / FILE).exists():
        named[DEFAULT] = read_text(path / FILE)
    if (path / FOLDER).is_dir():
        named |= {file.stem: read_text(file) for file in sorted((path / FOLDER).glob("*.jinja"))}
    stored = config.get("chat_template")
    if not named and isinstance(stored, str):
        named[DEFAULT] = stored
    elif not named and isinstance(stored, list):
        named = {
            one["name"]: one["template"]
            for one in stored
            if isinstance(one, dict) and isinstance(one.get("name"), str) and isinstance(one.get("template"), str)
        }
    older = path / "special_tokens_map.json"
    special = (json_object(older) if older.exists() else {}) | config
    tokens = {key: text for key in special if key.endswith("_token") and (text := _text(special[key]))}
    return named, tokens


def _text(token: Any) -> str:
    """A special token is a text, or described at length."""
    content = token.get("content") if isinstance(token, dict) else token
    return content if isinstance(content, str) else ""


def _of_gguf(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    file = gguf.read(path)
    prefix = "tokenizer.chat_template"
    named = {key[len(prefix) + 1 :] or DEFAULT: file.text(key) for key in file.values
             if key == prefix or key.startswith(f"{prefix}.")}  # fmt: skip
    names, tokens = file.texts("tokenizer.ggml.tokens"), {}
    for ours, theirs in OF_GGUF.items():
        number = file.whole(f"tokenizer.ggml.{theirs}_token_id", -1)
        if 0 <= number < len(names):
            tokens[f"{ours}_token"] = names[number]
    return named, tokens
