"""`gpttui generate`: a text continued, without a screen, with the same draws that the playground makes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from gpttui.cli.options import (
    GIVEN_TEXT,
    SAMPLING,
    ablate_option,
    bos_option,
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
    from gpttui.records import Conversation
    from gpttui.sessions.tree import SessionFile
    from gpttui.tokenizers import Tokenizer


@verb()
@model_option
@dtype_option
@click.option(
    "--prompt",
    metavar="TEXT",
    type=GIVEN_TEXT,
    help="What to continue; - reads stdin. Default: the model's own first prompt.",
)
@click.option("--chat", is_flag=True, help="The prompt is what a user says: written by the model's chat template.")
@click.option("--system", metavar="TEXT", type=GIVEN_TEXT, help="With --chat: what the system says first.")
@click.option("--template", metavar="NAME", help="With --chat: the chat template of that name.")
@click.option("-n", "count", type=click.IntRange(min=0), default=100, show_default=True, help="Tokens to generate.")
@sampling_options
@bos_option
@ablate_option
@session_option
@click.option("--stop", metavar="TEXT", type=GIVEN_TEXT, help="End behind this text (a single token of the model).")
@click.option("--ignore-eos", is_flag=True, help="Go on behind a token with which the model ends its text.")
@click.option("--candidates", type=click.IntRange(min=0), default=10, show_default=True, help="Length of topk in JSON.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="F.png|F.wav",
              help="Also write the picture (digits) or the sound (speech) that the tokens stand for.")  # fmt: skip
@json_option
def command(
    model: str | None,
    dtype: Literal["auto", "fp32", "bf16"],
    prompt: str | None,
    chat: bool,
    system: str | None,
    template: str | None,
    count: int,
    seed: int,
    sampling: dict[str, Any],
    bare: bool,
    ablate: tuple[str, ...],
    session: Path | None,
    stop: str | None,
    ignore_eos: bool,
    candidates: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Continue a text: what comes behind the prompt, streamed; with --json a line for every token.

    The same model, prompt, seed and settings give the same text here and in the playground, every time. With --chat a
    chat model answers what the prompt says, to the end of its turn.
    """
    from gpttui.cli import media
    from gpttui.cli.given import biases, counted, note_unknown, text_of
    from gpttui.cli.sessions import naming, session_model
    from gpttui.inference.bounds import end_name
    from gpttui.inference.generate import generate
    from gpttui.inference.interventions import compile_changes
    from gpttui.inference.opening import leave_a_core, open_model
    from gpttui.inference.session import Session
    from gpttui.interventions import parse
    from gpttui.model import checkpoint
    from gpttui.records import Conversation, Sampling
    from gpttui.runs import rundir
    from gpttui.sessions.tree import weights_of
    from gpttui.storage import gallery
    from gpttui.storage.end_tokens import end_tokens

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
    conversation: Conversation | None = None
    made = [parse(target) for target in ablate]
    how = Sampling(**sampling | {"logit_bias": biases(sampling["logit_bias"], tokenizer)})
    if saved is not None:
        conversation = saved.conversation
        text, seed, how, made = saved.prompt, saved.seed, saved.sampling, saved.interventions
        bare = saved.bare
    elif chat:
        conversation = _conversation(path, tokenizer, system, text if prompt is not None else "", template or "")
    elif system is not None:
        raise click.UsageError("--system goes with --chat")
    elif template is not None:
        raise click.UsageError("--template goes with --chat")
    tokenizer = tokenizer.bare(bare)
    with naming(session):
        changes = compile_changes(
            gpt, tokenizer, made, list(conversation.ids) if conversation else tokenizer.prompt(text)
        )
    tap, text_ends = changes if made else None, () if ignore_eos else end_tokens(path)
    first = "" if conversation else text
    writing = Session(
        gpt, tokenizer, sampling=how, seed=seed, prompt=first, tap=tap, tap_names=changes.words, ends=text_ends
    )
    note_unknown(tokenizer, text)
    if conversation is not None:
        writing.converse(conversation)
    if saved is not None:
        writing.jump(saved.appended, saved.picked)
        text = writing.text
    unseen, context = writing.n_slid, f"its context is {gpt.config.context}"
    if unseen:
        note(f"the model does not see the first {counted(unseen, 'token')} of the text's {len(writing)}: {context}")
    stop_ids = [] if stop is None else tokenizer.encode(stop)
    if stop is not None and (len(stop_ids) != 1 or stop_ids[0] == tokenizer.unknown_id):
        raise UserError(f"{stop!r} is not a single token of {card.id}, so it cannot be what to stop at")
    ends = conversation.ends if conversation is not None else ()
    written = ""
    for token in generate(writing, count, top_k=candidates, stop_ids=[*stop_ids, *ends]):
        written += token.text
        if as_json:
            print_json(token)
        else:
            ended = writing.ended or token.id in ends
            its_own = tokenizer.token_bytes(token.id).decode(errors="replace") if ended else ""
            click.echo(shown(token.text.removesuffix(its_own), keep="\n"), nl=False)
    if not as_json:
        click.echo()
    if writing.ended or (len(writing) > writing.n_prompt and int(writing.ids[-1]) in ends):
        what = "text" if writing.ended else "turn"
        note(f"the model has ended its {what}, with {end_name(tokenizer, int(writing.ids[-1]))}")
    if writing.n_slid > unseen:
        gone = counted(writing.n_slid - unseen, "token")
        note(f"while the text grew, {gone} more slid out of the model's sight at its beginning: {context}")
    if out is not None:
        note(f"{media.write(out, card.token_view, text + written)} in {out}")


OF_THE_SESSION = ("prompt", "bare", "chat", "system", "template", "seed", *SAMPLING, "ablate")
"""Options that a saved session answers itself."""


def _conversation(path: Path, tokenizer: "Tokenizer", system: str | None, text: str, template: str) -> "Conversation":
    """What the model is to answer, by its chat template of that name ("": the default).

    Raises UserError, one line, where it cannot be talked to.
    """
    from gpttui.chat.reading import Reader
    from gpttui.records import ChatMessage

    if not text:
        raise click.UsageError("--chat wants something to answer: give --prompt TEXT")
    first = () if system is None else (ChatMessage("system", system),)
    reader = Reader(path, tokenizer, template)
    try:
        return reader.read((*first, ChatMessage("user", text)))[1]
    finally:
        reader.close()


def _saved(file: Path) -> "SessionFile":
    """Read a session. Raises UsageError where the command line contradicts it."""
    from gpttui.sessions.tree import load_session

    context = click.get_current_context()
    for option in context.command.params:
        name = str(option.name)
        given = context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
        if name in OF_THE_SESSION and given:
            raise click.UsageError(f"a session has its own {option.opts[0]}: leave it out")
    return load_session(file)
