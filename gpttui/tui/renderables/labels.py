"""What a token looks like on the screen: short, safe, of known width.

For: every pane that names a token. Not for: decoding text (`Tokenizer.decode`).
"""

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from gpttui.records import STAGES, Sampling, Stage
from gpttui.text import display_token

if TYPE_CHECKING:
    from gpttui.tokenizers import Tokenizer

ELLIPSIS = "…"


@lru_cache(maxsize=65_536)
def _label(tokenizer: "Tokenizer", token_id: int) -> str:
    return display_token(tokenizer.token_bytes(token_id)) if tokenizer.has(token_id) else f"⟨#{token_id}⟩"


def token_label(tokenizer: "Tokenizer | None", token_id: int) -> str:
    """The token as it is drawn everywhere: `·the`, `⏎`, `⟨E2⟩`; `⟨#50300⟩` for a row of the model that no token has.

    Its number alone where no tokenizer is at hand.
    """
    return f"#{token_id}" if tokenizer is None else _label(tokenizer, token_id)


def quoted_label(tokenizer: "Tokenizer | None", token_id: int, width: int = 24) -> str:
    """The token in quotes, for running text: `"·the"`, at most `width` cells inside them."""
    return f'"{clip(token_label(tokenizer, token_id), width)}"'


def so_many(count: int, thing: str = "token") -> str:
    """`1 token`, `1,024 tokens`."""
    return f"{count:,} {thing}{'s' * (count != 1)}"


def clip(text: str, width: int) -> str:
    """`text` in at most `width` cells; what was cut shows as an ellipsis."""
    if cell_len(text) <= width:
        return text
    return (set_cell_size(text, width - 1).rstrip() + ELLIPSIS) if width > 0 else ""


def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text` in exactly `width` cells: clipped, or padded on the right (on the left with `right`)."""
    text = clip(text, width)
    pad = " " * (width - cell_len(text))
    return pad + text if right else text + pad


def setting(sampling: Sampling, stage: Stage) -> str:
    """The value of one stage, for people."""
    value = getattr(sampling, stage.field)
    return str(len(value)) if isinstance(value, tuple) else f"{value:g}"


def stages_on(sampling: Sampling) -> list[Stage]:
    """The stages that a token goes through: temperature always, the others where they change anything; greedy draws
    know no cuts."""
    cuts = [stage for stage in STAGES if stage.field in ("top_k", "top_p", "min_p")]
    return [
        stage
        for stage in STAGES
        if stage.field == "temperature"
        or (sampling.is_on(stage.field) and not (stage in cuts and sampling.temperature == 0))
    ]


def sampling_words(sampling: Sampling, *, short: bool = False) -> str:
    """`T 0.8  top-k 40  top-p 0.95`, or `T 0.8 k40 p0.95` in short; only what is switched on, in order."""
    words = []
    for stage in stages_on(sampling):
        if stage.field == "temperature":
            words.append(f"T {sampling.temperature:g}" if sampling.temperature else "greedy")
        elif short:
            words.append(f"{stage.short}{setting(sampling, stage)}")
        else:
            words.append(f"{stage.name} {setting(sampling, stage)}")
    return (" " if short else "  ").join(words)


def figure(value: float, width: int, *, sign: bool = False) -> str:
    """A number with two decimals, or with fewer where it would not be whole in `width` cells."""
    for form in (".2f", ".1f", ".0f", ".1e", ".0e"):
        if len(text := format(value, f"+{form}" if sign else form)) <= width:
            break
    return text


def hex_bytes(data: bytes, most: int = 12) -> str:
    """`20 74 68 65`, with an ellipsis beyond `most` bytes."""
    return data[:most].hex(" ") + (f" {ELLIPSIS}" if len(data) > most else "")


def percent(value: float) -> str:
    """A probability in at most six cells, never rounded to a lie: `41.2%`, `0.03%`, `<0.01%`, `>99.9%`."""
    if value <= 0:
        return "0%"
    if value < 0.0001:
        return "<0.01%"
    if value < 0.00995:
        return f"{value:.2%}"
    if 0.9995 <= value < 1:
        return ">99.9%"
    return "100%" if value >= 1 else f"{value:.1%}"
