"""What a model reads of a conversation: the template's text as tokens, and whose words each of them is.

The template is rendered twice: with the messages as they are, and with signs around and inside them that no text has.
Where both give the same text but for the signs, they tell where each message went; a token of the template's own that a
person has typed is broken up by a sign, so that it is read as the text that it is. No torch, no screen.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gpttui.chat import templates
from gpttui.chat.render import Renderer
from gpttui.chat.templates import ChatTemplate
from gpttui.errors import UserError, one_line
from gpttui.records import ChatMessage, Conversation, Role, Turn
from gpttui.text import safe_text, whole
from gpttui.tokenizers import Tokenizer, guarded

ROLES: tuple[Role, ...] = ("system", "user", "assistant")
_FIRST_SIGN = 0xF0000
"""Of a plane of Unicode that is for private use."""


class Reader:
    """A model's conversations: its template, if it has one, and the child that renders it. Close it after use."""

    def __init__(self, path: Path, tokenizer: Tokenizer, name: str = "") -> None:
        """`name` is of one of several templates."""
        self.path, self.tokenizer, self._renderer = path, tokenizer, Renderer()
        self.missing = ""
        """Why the model does not converse; empty where it does."""
        try:
            self._template = templates.find(path, name)
        except UserError as error:
            self.missing = one_line(error)

    def read(self, messages: Sequence[ChatMessage]) -> tuple[str, Conversation]:
        """`messages` up to the beginning of the answer: the template's text, and what the model reads.

        Raises UserError, one line, where that cannot be.
        """
        if self.missing:
            raise UserError(self.missing)
        return read(messages, self._template, self.tokenizer, self._renderer)

    def close(self) -> None:
        self._renderer.close()


class _Signs(NamedTuple):
    """Characters that stand in no message and no template."""

    opening: dict[Role, str]
    """By role."""
    closing: str
    gap: str

    @property
    def around(self) -> str:
        return "".join(self.opening.values()) + self.closing

    def strip(self, text: str) -> str:
        return re.sub(f"[{self.around}{self.gap}]", "", text)

    def roles_in(self, text: str) -> dict[str, Role]:
        """Whose words begin at which sign; nobody's where the template has turned signs around or parted them."""
        met = re.findall(f"[{self.around}]", text)
        opened, closed = met[::2], met[1::2]
        paired = self.closing not in opened and closed == [self.closing] * len(opened)
        return {sign: role for role, sign in self.opening.items()} if paired else {}


def read(
    messages: Sequence[ChatMessage], template: ChatTemplate, tokenizer: Tokenizer, renderer: Renderer
) -> tuple[str, Conversation]:
    """`Reader.read`, with all that it takes."""
    said = [ChatMessage(message.role, whole(message.content)) for message in messages]
    signs = _signs([template.source, *template.tokens.values(), *(message.content for message in said)])
    broken = [ChatMessage(one.role, _broken(one, template, tokenizer, signs.gap)) for one in said]
    marked = [ChatMessage(one.role, _marked(one, signs)) for one in broken]
    answered = [*marked, ChatMessage("assistant", f"{signs.opening['assistant']}.{signs.closing}")]
    wanted = [_variables(one, template, prompt=True) for one in (said, marked, broken)]
    wanted.append(_variables(answered, template, prompt=False))
    plain, with_marks, with_gaps, whole_turn = renderer.texts(template.source, wanted)
    if isinstance(plain, UserError):
        raise plain
    same = [text for text in (with_marks, with_gaps) if isinstance(text, str) and signs.strip(text) == plain]
    if not same and broken != said:
        typed = safe_text(next(_control_in(said, template, tokenizer), ""))
        raise UserError(f"this chat template treats {typed!r} in a message in a way of its own: write it otherwise")
    ids, turns = _tokens((same or [plain])[0], tokenizer, signs)
    ends = _ends(whole_turn, template, tokenizer, signs)
    return plain, Conversation(tuple(messages), tuple(ids), turns, tuple(sorted(ends)))


def _variables(messages: Sequence[ChatMessage], template: ChatTemplate, *, prompt: bool) -> dict[str, Any]:
    """What transformers gives to a template."""
    told = [{"role": message.role, "content": message.content} for message in messages]
    return template.tokens | {"messages": told, "tools": None, "documents": None, "add_generation_prompt": prompt}


def _signs(texts: Iterable[str]) -> _Signs:
    taken = set("".join(texts))
    free = (sign for number in range(_FIRST_SIGN, 0x10FFFE) if (sign := chr(number)) not in taken)
    return _Signs({role: next(free) for role in ROLES}, next(free), next(free))


def _marked(message: ChatMessage, signs: _Signs) -> str:
    """Signs around the words, inside the blanks around them: templates trim."""
    words = message.content.strip()
    return message.content.replace(words, f"{signs.opening[message.role]}{words}{signs.closing}", 1) if words else ""


# ── Tokens that a person has typed ────────────────────────────────────────────────────────────────────────────────


def _control(template: ChatTemplate, tokenizer: Tokenizer, role: Role) -> "re.Pattern[str]":
    """Special tokens, and what else of the tokenizer's added tokens the template writes itself, the longest first.

    The model's own answer may hold the latter: `<think>`, say.
    """
    added = tokenizer.backend.get_added_tokens_decoder().values()
    names = {
        token.content
        for token in added
        if token.special or (role != "assistant" and token.content.strip() and token.content in template.source)
    }
    return re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))) or "(?!)")


def _control_in(messages: Sequence[ChatMessage], template: ChatTemplate, tokenizer: Tokenizer) -> Iterator[str]:
    for message in messages:
        yield from _control(template, tokenizer, message.role).findall(message.content)


def _broken(message: ChatMessage, template: ChatTemplate, tokenizer: Tokenizer, gap: str) -> str:
    """A sign behind the first character of each such token."""
    pattern = _control(template, tokenizer, message.role)
    return pattern.sub(lambda found: found[0][:1] + gap + found[0][1:], message.content)


# ── Text to tokens ────────────────────────────────────────────────────────────────────────────────────────────────


def _tokens(marked: str, tokenizer: Tokenizer, signs: _Signs) -> tuple[list[int], tuple[Turn, ...]]:
    """All of it in one go, as transformers does, with gaps left in; tokens that are nothing but a gap are taken out."""
    kept: list[str] = []
    roles: list[Role | None] = []
    role: Role | None = None
    of = signs.roles_in(marked)
    for char in marked:
        if char in signs.around:
            role = of.get(char)
        else:
            kept.append(char)
            roles.append(role)
    with guarded("the conversation cannot be split into tokens"):
        encoding = tokenizer.backend.encode("".join(kept), add_special_tokens=False)
    ids: list[int] = []
    turns: list[Turn] = []
    before: Role | None = None
    special = {number for number, token in tokenizer.backend.get_added_tokens_decoder().items() if token.special}
    for token_id, (start, end) in zip(encoding.ids, encoding.offsets, strict=True):
        inside = kept[start:end]
        if signs.gap in inside:
            if set(inside) != {signs.gap}:
                raise UserError("this tokenizer cannot tell a typed special token from a real one: leave it out")
            continue
        role = next(filter(None, roles[start:end]), None) if start < end else before
        if token_id in special and role in ("system", "user"):
            raise UserError(f"this tokenizer has no text for {safe_text(''.join(inside))!r} but a token: leave it out")
        if role and role == before:
            turns[-1] = Turn(role, turns[-1].start, len(ids) + 1)
        elif role:
            turns.append(Turn(role, len(ids), len(ids) + 1))
        ids.append(token_id)
        before = role
    return ids, tuple(turns)


def _ends(answered: "str | UserError", template: ChatTemplate, tokenizer: Tokenizer, signs: _Signs) -> frozenset[int]:
    """The model's end of text, and the special token that the template puts behind an answer."""
    found = set[int]()
    special = {number for number, token in tokenizer.backend.get_added_tokens_decoder().items() if token.special}
    if isinstance(answered, str) and signs.closing in answered:
        behind = tokenizer.backend.encode(signs.strip(answered.rpartition(signs.closing)[2]), add_special_tokens=False)
        found |= set([token_id for token_id in behind.ids if token_id in special][:1])
    if (eos := tokenizer.backend.token_to_id(template.tokens.get("eos_token", ""))) is not None:
        found.add(eos)
    return frozenset(found)
