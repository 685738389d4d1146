"""`gpttui tokens`: how a model's tokenizer splits a text. No torch."""

from collections.abc import Sequence
from itertools import accumulate, chain

import click

from gpttui.cli.options import GIVEN_BYTES, json_option, model_option, verb
from gpttui.cli.output import print_json, table
from gpttui.text import whole


@verb()
@model_option
@click.argument("text", type=GIVEN_BYTES)
@json_option
def command(model: str | None, text: str, as_json: bool) -> None:
    """Show how TEXT is split into tokens (- reads it from stdin).

    START and END count bytes of the text as it is given; they are not characters. BYTES are those of the text.
    """
    from gpttui.cli.given import text_of
    from gpttui.storage import gallery
    from gpttui.text import display_token
    from gpttui.tokenizers import Tokenizer

    text = text_of(text)
    tokenizer = Tokenizer.open(gallery.find(model))
    data, edges = as_given(text)
    last = len(edges) - 1  # tokenizers from elsewhere may put a space before the text
    pieces = [(i, edges[min(start, last)], edges[min(end, last)]) for i, start, end in tokenizer.pieces(text)]
    if as_json:
        texts = {i: tokenizer.decode([i]) for i in {piece[0] for piece in pieces}}
        print_json(
            [
                {"id": i, "text": texts[i], "bytes_hex": data[start:end].hex(), "start": start, "end": end}
                for i, start, end in pieces
            ]
        )
        return
    rows = [["start", "end", "id", "bytes", "token"]]
    for i, start, end in pieces:
        rows.append([str(start), str(end), str(i), data[start:end].hex(" "), display_token(tokenizer.token_bytes(i))])
    click.echo("\n".join(table(rows, right=frozenset({0, 1, 2}))))


def as_given(text: str) -> tuple[bytes, Sequence[int]]:
    """The bytes that `text` was read from, and for each byte of what is tokenized the place in them.

    They differ where a byte is no UTF-8: U+FFFD stands for it, three bytes for one, of which the first takes its place.
    """
    clean = whole(text)
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # other surrogates: no shell gives them
        data = clean.encode()
    if text == clean or data == clean.encode():
        return data, range(len(data) + 1)
    steps = {}
    for char in set(text):
        given, tokenized = len(char.encode("utf-8", "surrogateescape")), len(whole(char).encode())
        steps[char] = [1] * given + [0] * (tokenized - given)
    return data, list(accumulate(chain.from_iterable(map(steps.__getitem__, text)), initial=0))
