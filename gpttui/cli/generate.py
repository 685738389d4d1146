"""`gpttui generate`: a text continued, without a screen, with the same draws that the playground makes."""

import sys
from pathlib import Path

import click

from gpttui.cli.options import ablate_option, json_option, model_option, sampling_options
from gpttui.cli.output import note, print_json, shown
from gpttui.errors import UserError


@click.command()
@model_option
@click.option(
    "--prompt", metavar="TEXT", help="What to continue; - reads stdin. Default: the model's own first prompt."
)
@click.option("-n", "count", type=click.IntRange(min=0), default=100, show_default=True, help="Tokens to generate.")
@sampling_options
@ablate_option
@click.option("--stop", metavar="TEXT", help="End behind this text (a single token of the model).")
@click.option("--candidates", type=click.IntRange(min=0), default=10, show_default=True, help="Length of topk in JSON.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="F.png|F.wav",
              help="Also write the picture (digits) or the sound (speech) that the tokens stand for.")  # fmt: skip
@json_option
def command(
    model: str | None,
    prompt: str | None,
    count: int,
    seed: int,
    temperature: float,
    top_k: int,
    top_p: float,
    ablate: tuple[str, ...],
    stop: str | None,
    candidates: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Continue a text: what comes behind the prompt, streamed; with --json a line for every token.

    The same model, prompt, seed and settings give the same text here and in the playground, every time.
    """
    from gpttui import gallery
    from gpttui.cli import media
    from gpttui.inference.generate import generate
    from gpttui.inference.interventions import compile_changes
    from gpttui.inference.opening import leave_a_core, open_model
    from gpttui.inference.session import Session
    from gpttui.interventions import parse
    from gpttui.records import Sampling

    path = gallery.find(model)
    card = gallery.card(path)
    if out is not None:
        media.check_target(out, card.token_view, card.id)
        stop = stop or "\n"
    leave_a_core()
    gpt, tokenizer = open_model(path)
    text = card.prompt if prompt is None else prompt
    if text == "-":
        text = sys.stdin.buffer.read().decode("utf-8", errors="replace")
    changes = compile_changes(gpt, tokenizer, [parse(target) for target in ablate], tokenizer.encode(text))
    how = Sampling(temperature, top_k, top_p)
    session = Session(
        gpt, tokenizer, sampling=how, seed=seed, prompt=text, tap=changes if ablate else None, tap_names=changes.words
    )
    stop_ids = [] if stop is None else tokenizer.encode(stop)
    if stop is not None and (len(stop_ids) != 1 or stop_ids[0] == tokenizer.unknown_id):
        raise UserError(f"{stop!r} is not a single token of {card.id}, so it cannot be what to stop at")
    written = ""
    for token in generate(session, count, top_k=candidates, stop_ids=stop_ids):
        written += token.text
        if as_json:
            print_json(token)
        else:
            click.echo(shown(token.text, keep="\n"), nl=False)
    if not as_json:
        click.echo()
    if out is not None:
        note(f"{media.write(out, card.token_view, text + written)} in {out}")
