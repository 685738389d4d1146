"""`gpttui eval`: a model's loss over a whole text, in windows that overlap."""

import tempfile
from pathlib import Path
from typing import Literal

import click

from gpttui.cli.options import dtype_option, json_option, model_option, verb
from gpttui.cli.output import loading, note, print_json


@verb()
@model_option
@dtype_option
@click.option("--data", required=True, metavar="FILE|DIR|-", help="The text; - reads stdin.")
@click.option("--text-field", metavar="NAME", default="", help="Of JSON lines (.jsonl), read this field's text alone.")
@click.option("--stride", type=click.IntRange(min=1), help="Tokens between windows. Default: half the context.")
@click.option(
    "--last", type=click.FloatRange(0, 1, min_open=True), default=1.0, help="Only this last share of the text."
)
@json_option
def command(
    model: str | None,
    dtype: Literal["auto", "fp32", "bf16"],
    data: str,
    text_field: str,
    stride: int | None,
    last: float,
    as_json: bool,
) -> None:
    """Measure a model's loss on a text: nats a token, bits a byte, perplexity."""
    from gpttui.inference.opening import open_model
    from gpttui.storage import gallery
    from gpttui.training.evaluate import text_loss

    gpt, tokenizer = open_model(gallery.find(model), precision=dtype, tell=note, progress=loading())
    with tempfile.TemporaryDirectory() as folder:
        found = text_loss(
            gpt, tokenizer, data, Path(folder) / "stdin.txt", stride=stride, last_part=last, text_field=text_field
        )
    for line in found.notes:
        note(line)
    if as_json:
        print_json({name: getattr(found, name) for name in ("loss_nats", "bits_per_byte", "perplexity", "tokens")})
        return
    click.echo(f"loss {found.loss_nats:.4f} nats a token · {found.bits_per_byte:.4f} bits a byte · "
               f"perplexity {found.perplexity:.4g} · {found.tokens:,} tokens")  # fmt: skip
