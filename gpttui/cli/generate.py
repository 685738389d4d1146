"""`gpttui generate`: a text continued, without a screen, with the same draws that the playground makes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from gpttui.cli.options import (
    GIVEN_TEXT,
    SAMPLING,
    ablate_option,
    dtype_option,
    json_option,
    model_option,
    sampling_options,
    session_option,
    verb,
)
from gpttui.cli.output import loading, note, print_json, shown
from gpttui.errors import UserError

if TYPE_CHECKING:
    from gpttui.sessions.tree import SessionFile


@verb()
@model_option
@dtype_option
@click.option(
    "--prompt",
    metavar="TEXT",
    type=GIVEN_TEXT,
    help="What to continue; - reads stdin. Default: the model's own first prompt.",
)
@click.option("-n", "count", type=click.IntRange(min=0), default=100, show_default=True, help="Tokens to generate.")
@sampling_options
@ablate_option
@session_option
@click.option("--stop", metavar="TEXT", type=GIVEN_TEXT, help="End behind this text (a single token of the model).")
@click.option("--candidates", type=click.IntRange(min=0), default=10, show_default=True, help="Length of topk in JSON.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="F.png|F.wav",
              help="Also write the picture (digits) or the sound (speech) that the tokens stand for.")  # fmt: skip
@json_option
def command(
    model: str | None,
    dtype: Literal["auto", "fp32", "bf16"],
    prompt: str | None,
    count: int,
    seed: int,
    sampling: dict[str, Any],
    ablate: tuple[str, ...],
    session: Path | None,
    stop: str | None,
    candidates: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Continue a text: what comes behind the prompt, streamed; with --json a line for every token.

    The same model, prompt, seed and settings give the same text here and in the playground, every time.
    """
    from gpttui.cli import media
    from gpttui.cli.given import biases, counted, note_unknown, text_of
    from gpttui.cli.sessions import naming, session_model
    from gpttui.inference.generate import generate
    from gpttui.inference.interventions import compile_changes
    from gpttui.inference.opening import leave_a_core, open_model
    from gpttui.inference.session import Session
    from gpttui.interventions import parse
    from gpttui.model import checkpoint
    from gpttui.records import Sampling
    from gpttui.runs import rundir
    from gpttui.sessions.tree import weights_of
    from gpttui.storage import gallery

    saved = None if session is None else _saved(session)
    path = gallery.find(model) if saved is None else session_model(saved, model)
    config = checkpoint.read_config(path)
    card = gallery.card(path, config)
    if out is not None:
        media.check_target(out, card.token_view, card.id)
        stop = stop or "\n"
    leave_a_core()
    gpt, tokenizer = open_model(path, config, precision=dtype, tell=note, progress=loading())
    if saved is not None and (weights := weights_of(saved, path)) is not None:
        gpt = checkpoint.load(rundir.checkpoint_at(Path(weights.run), weights.step), dtype=gpt.lm_head.weight.dtype)
    text = card.prompt if prompt is None else text_of(prompt)
    made = [parse(target) for target in ablate]
    how = Sampling(**sampling | {"logit_bias": biases(sampling["logit_bias"], tokenizer)})
    if saved is not None:
        text, seed, how, made = saved.prompt, saved.seed, saved.sampling, saved.interventions
    with naming(session):
        changes = compile_changes(gpt, tokenizer, made, tokenizer.encode(text))
    tap = changes if made else None
    writing = Session(gpt, tokenizer, sampling=how, seed=seed, prompt=text, tap=tap, tap_names=changes.words)
    note_unknown(tokenizer, text)
    if saved is not None:
        writing.jump(saved.appended, saved.picked)
        text = writing.text
    unseen, context = writing.n_slid, f"its context is {gpt.config.context}"
    if unseen:
        note(f"the model does not see the first {counted(unseen, 'token')} of the text's {len(writing)}: {context}")
    stop_ids = [] if stop is None else tokenizer.encode(stop)
    if stop is not None and (len(stop_ids) != 1 or stop_ids[0] == tokenizer.unknown_id):
        raise UserError(f"{stop!r} is not a single token of {card.id}, so it cannot be what to stop at")
    written = ""
    for token in generate(writing, count, top_k=candidates, stop_ids=stop_ids):
        written += token.text
        if as_json:
            print_json(token)
        else:
            click.echo(shown(token.text, keep="\n"), nl=False)
    if not as_json:
        click.echo()
    if writing.n_slid > unseen:
        gone = counted(writing.n_slid - unseen, "token")
        note(f"while the text grew, {gone} more slid out of the model's sight at its beginning: {context}")
    if out is not None:
        note(f"{media.write(out, card.token_view, text + written)} in {out}")


OF_THE_SESSION = ("prompt", "seed", *SAMPLING, "ablate")
"""Options that a saved session answers itself."""


def _saved(file: Path) -> "SessionFile":
    """Read a session. Raises UsageError where the command line contradicts it."""
    from gpttui.sessions.tree import load_session

    context = click.get_current_context()
    for name in OF_THE_SESSION:
        if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
            raise click.UsageError(f"a session has its own --{name.replace('_', '-')}: leave it out")
    return load_session(file)
