"""`gpttui tokens`: how a model's tokenizer splits a text. No torch."""

import sys

import click

from gpttui.cli.options import json_option, model_option
from gpttui.cli.output import note, print_json, table


@click.command()
@model_option
@click.argument("text")
@json_option
def command(model: str | None, text: str, as_json: bool) -> None:
    """Show how TEXT is split into tokens (- reads it from stdin).

    START and END count bytes of the UTF-8 text; they are not characters.
    """
    from gpttui import gallery
    from gpttui.text import display_token
    from gpttui.tokenizers import Tokenizer

    if text == "-":
        text = sys.stdin.buffer.read().decode("utf-8", errors="surrogateescape")
    stray = sum("\ud800" <= char <= "\udfff" for char in text)
    if stray:
        note(f"{stray} bytes of the text are not UTF-8; each counts as U+FFFD")
    tokenizer = Tokenizer.open(gallery.find(model))
    pieces = tokenizer.pieces(text)
    if as_json:
        kinds = {i: (tokenizer.decode([i]), tokenizer.token_bytes(i).hex()) for i in {piece.id for piece in pieces}}
        print_json(
            [
                {"id": i, "text": kinds[i][0], "bytes_hex": kinds[i][1], "start": start, "end": end}
                for i, start, end in pieces
            ]
        )
        return
    rows = [["start", "end", "id", "bytes", "token"]]
    for piece in pieces:
        data = tokenizer.token_bytes(piece.id)
        rows.append([str(piece.start), str(piece.end), str(piece.id), data.hex(" "), display_token(data)])
    click.echo("\n".join(table(rows, right=frozenset({0, 1, 2}))))
