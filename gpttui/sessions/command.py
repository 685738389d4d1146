"""Shell commands that show again what the screen shows, or go on with what it has begun."""

import shlex

from gpttui.interventions import Intervention, as_arguments
from gpttui.records import STAGES, Conversation, Sampling


def generate_command(
    model: str,
    prompt: str,
    count: int,
    sampling: Sampling,
    seed: int,
    changes: tuple[Intervention, ...] = (),
    conversation: Conversation | None = None,
    *,
    bare: bool = False,
) -> str:
    """`gpttui generate …` that writes the same tokens, where none was picked by hand and all changes can be said so."""
    chat: list[str] = []
    if conversation is not None:
        prompt, chat = conversation.messages[-1].content, ["--chat"]
        if system := "".join(message.content for message in conversation.messages[:-1]):
            chat += ["--system", system]
    parts = ["gpttui", "generate", "--model", model, *chat, "--prompt", prompt, "-n", str(count), "--seed", str(seed)]
    for stage in STAGES:
        value, option = getattr(sampling, stage.field), f"--{stage.field.replace('_', '-')}"
        if stage.field == "logit_bias":
            parts += [word for token_id, amount in value for word in (option, f"{token_id}={number(amount)}")]
        elif value != stage.off or stage.field == "temperature":
            parts += [option, number(value)]
    parts += ["--no-bos"] if bare else []
    for argument in as_arguments(changes):
        parts += ["--ablate", argument]
    return shlex.join(parts)


def number(value: float) -> str:
    """As short as it can be said without becoming another one."""
    short = f"{value:g}"
    return short if float(short) == value else str(value)


def session_command(file: str) -> str:
    """`gpttui --session F`, for everything that a saved session holds."""
    return shlex.join(["gpttui", "--session", file])


def resume_command(run: str, export_to: str = "") -> str:
    """`gpttui train --run-dir R --resume`: goes on with a run without a screen."""
    export = ["--export", export_to] if export_to else []
    return shlex.join(["gpttui", "train", "--run-dir", run, "--resume", *export])
