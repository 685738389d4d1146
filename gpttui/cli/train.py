"""`gpttui train`: the training loop without a screen. Progress on a terminal, with --json the events as JSON lines.

SIGINT, SIGTERM and SIGHUP save the step that was done last, and exit with 130, 143 or 129; so does output that nobody
reads any more. Under `torchrun` every process comes through here; rank 0 writes and prints.
"""

import contextlib
import os
import shlex
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gpttui.cli.options import GIVEN_TEXT, verb
from gpttui.errors import UserError

if TYPE_CHECKING:
    from gpttui.runs.config import TrainConfig
    from gpttui.training.run import Run

CONFIG_OPTIONS = (
    click.option("--data", metavar="FILE|DIR|-|corpus:NAME", help="What to learn from; - reads stdin."),
    click.option("--text-field", metavar="NAME", help="Of JSON lines (.jsonl), learn this field's text alone."),
    click.option("--tokenizer", metavar="char|word|bpe:N", help="Learned from the text. Default: char."),
    click.option("--documents", is_flag=True, default=None, help="A row is one line from its start, not a stream."),
    click.option("--from-starts", is_flag=True, default=None, help="Rows of a stream begin where lines begin."),
    click.option("--starts-share", type=float, help="The share of rows that do; the others begin anywhere."),
    click.option("--corpus-documents", type=int, help="How many documents to draw from corpus:NAME."),
    click.option("--val-fraction", type=float, help="Held-out share at the end of the text. Default: 0.1."),
    click.option("--init", metavar="MODEL", help="Fine-tune this model (its shape, its tokenizer)."),
    click.option("--arch", type=click.Choice(["gpt2", "modern", "llama"]), help="Default: gpt2."),
    click.option("--layers", type=int),
    click.option("--heads", type=int),
    click.option("--width", type=int),
    click.option("--context", type=int),
    click.option("--kv-heads", type=int, help="Fewer than heads: grouped queries (modern, llama)."),
    click.option("--mlp-width", type=int, help="Neurons of an MLP; 0: attention only."),
    click.option("--activation", type=click.Choice(["gelu_tanh", "gelu", "relu", "relu2", "swiglu", "geglu"])),
    click.option("--qk-gain", is_flag=True, default=None, help="Heads learn how sharply they look (modern)."),
    click.option(
        "--norm-place",
        type=click.Choice(["before", "after", "both"]),
        help="Where norms stand: both keeps vectors from growing a hundredfold (modern, llama).",
    ),
    click.option(
        "--embed-scale",
        is_flag=True,
        default=None,
        help="Token vectors enter sqrt(width) times as long (modern, llama).",
    ),
    click.option("--dropout", type=float),
    click.option("--batch", type=int, help="Rows of one pass in each process."),
    click.option("--accumulation", type=int, help="Passes of one step."),
    click.option("--steps", type=int, help="How long to train, and the rate's schedule. Default: 2000."),
    click.option("--minutes", type=float, help="Or for how long: the schedule is fitted to what this machine does."),
    click.option("--target-loss", type=float, help="Stop at this validation loss."),
    click.option("--optimizer", type=click.Choice(["adamw", "muon"])),
    click.option("--lr", type=float, help="AdamW's peak learning rate."),
    click.option("--matrix-lr", type=float, help="Muon's peak learning rate."),
    click.option("--schedule", type=click.Choice(["cosine", "linear", "constant"])),
    click.option("--warmup", type=int),
    click.option("--weight-decay", type=float),
    click.option("--matrix-weight-decay", type=float),
    click.option("--grad-clip", type=float, help="0: never."),
    click.option("--label-smoothing", type=float),
    click.option("--eval-every", type=int),
    click.option("--eval-tokens", type=int),
    click.option("--sample-every", type=int),
    click.option("--sample-prompt", metavar="TEXT", type=GIVEN_TEXT),
    click.option("--checkpoint-every", type=int),
    click.option("--seed", type=int),
    click.option("--device", metavar="auto|cpu|cuda|mps"),
    click.option("--precision", type=click.Choice(["auto", "fp32", "bf16"])),
    click.option("--threads", type=int, help="0: all cores."),
    click.option("--compile", is_flag=True, default=None, help="Use torch.compile."),
)


def config_options(command: Any) -> Any:
    """Every field of a run's config that the command line can set; None where it was not given.

    What has no option above has a hidden one, so that the command on a model's card can say all that its run was.
    """
    import msgspec

    from gpttui.runs.config import NOT_ORDERED, TrainConfig

    for option in reversed(CONFIG_OPTIONS):
        command = option(command)
    shown = {parameter.name for parameter in command.__click_params__}
    for field in msgspec.structs.fields(TrainConfig):
        if field.name not in shown and field.name not in NOT_ORDERED:
            command = click.option(f"--{field.name.replace('_', '-')}", metavar="VALUE", hidden=True)(command)
    return command


@verb()
@config_options
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Start from this TOML file; other options change it. `gpttui runs show NAME --config` writes one.",
)
@click.option("--recipe", metavar="NAME", help="Start from a recipe; other options change it. `list` shows them.")
@click.option(
    "--run-dir",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where the run is kept; to resume, or its name.",
)
@click.option("--resume", "resuming", is_flag=True, help="Go on with the run in --run-dir.")
@click.option(
    "--export", "export_to", metavar="DIR", type=click.Path(path_type=Path), help="Then write the model there."
)
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON lines.")
def command(
    config_file: Path | None,
    recipe: str | None,
    run_dir: Path | None,
    resuming: bool,
    export_to: Path | None,
    as_json: bool,
    **given: Any,
) -> int:
    """Train a GPT on a text, from scratch or on from where a run stopped.

    \b
    gpttui train --data my.txt
    gpttui train --data my.txt --minutes 10 --optimizer muon --arch modern
    gpttui train --data my.txt --arch llama --run-dir RUN, then gpttui export RUN DIR
    gpttui train --run-dir RUN --resume
    gpttui train --config run.toml --seed 2
    torchrun --nproc-per-node 4 -m gpttui train --data my.txt --run-dir RUN
    """
    if recipe == "list":
        _list_recipes()
        return 0
    from gpttui.cli.output import note
    from gpttui.runs import rundir
    from gpttui.storage import gallery
    from gpttui.training import recipes
    from gpttui.training import run as runs

    options = {name: value for name, value in given.items() if value is not None}
    if options.get("minutes") and "steps" in options:
        raise click.UsageError("a run is as long as its steps or its minutes: give --steps or --minutes")
    if config_file is not None:
        options = _from_file(config_file, recipe, options)
    if recipe is not None and not resuming and "init" not in options and (base := recipes.recipe(recipe).config.init):
        if code := _train_before(recipe, base, options, as_json):
            return code
        options["init"] = str(_stage_before(recipe, base))
    elif "init" in options:
        options["init"] = str(gallery.find(options["init"]))
    if resuming:
        if run_dir is None:
            raise click.UsageError("--resume needs --run-dir, the run to go on with")
        path = rundir.need(str(run_dir))
        config = _resumed_config(path, options | ({} if recipe is None else {"recipe": recipe}))
        with _on_signals(_leave):
            opened = runs.resume(path, config)
    else:
        config = _new_config(recipe, options)
        path = run_dir or gallery.new_run_dir(recipe or Path(config.data.removeprefix("corpus:")).stem)
        with _on_signals(_leave):
            opened = runs.start(config, path, note)
    told = opened.trainer.world.leads and not as_json
    name = shlex.quote(gallery.run_name(path))
    if told:
        note(f"this run is kept in {path}; `gpttui watch {name}` shows it")
    with opened:
        code = _train(opened, as_json, export_to)
    if told and code == 0:
        note(f"kept in {path}: `gpttui --model {name}` opens the model, `gpttui watch {name}` shows how it learned")
    if export_to is not None and code == 0 and opened.trainer.world.leads:
        from gpttui.training.publish import publish

        loss = publish(path, export_to)
        click.echo(f"{export_to}: validation loss {loss:.4f}", err=True)
    opened.trainer.world.end_process(code)
    return code


def _from_file(file: Path, recipe: str | None, options: dict[str, Any]) -> dict[str, Any]:
    """The file's fields, and over them what was given here."""
    from gpttui.runs.config_file import read_toml

    if recipe is not None:
        raise click.UsageError("both --config and --recipe say where to start from: give one of them")
    fields = read_toml(file)
    if "steps" in options:
        fields.pop("minutes", None)
    return fields | options


OF_THE_MACHINE = ("device", "precision", "threads", "compile")
"""Options of a recipe in stages that hold for the stages before it, too."""


def _train_before(recipe: str, base: str, options: dict[str, Any], as_json: bool) -> int:
    """Train what a recipe in stages goes on from, and put it on the shelf, if it is not there; the exit code."""
    from gpttui import locations
    from gpttui.cli.output import note
    from gpttui.storage import gallery

    if "WORLD_SIZE" in os.environ:  # torchrun's processes train one run
        return 0
    if gallery.shelved(base) is not None:
        return 0
    note(f"{recipe} goes on from the model {base}, which is not here: that is trained first")
    machine = {name: value for name, value in options.items() if name in OF_THE_MACHINE}
    target = locations.user_models_dir() / base
    code: int = click.get_current_context().invoke(command, recipe=base, export_to=target, as_json=as_json, **machine)
    return code


def _stage_before(recipe: str, base: str) -> Path:
    """The model that a recipe in stages goes on from. Raises UserError, saying how to get it, if it is not here."""
    from gpttui.storage import gallery

    if (path := gallery.shelved(base)) is not None:
        return path
    first = f"gpttui train --recipe {base} --export {base}"
    raise UserError(f"{recipe} goes on from the model {base}, which is not here; first: {first}")


def _new_config(recipe_name: str | None, options: dict[str, Any]) -> "TrainConfig":
    from gpttui.runs.config import FINE_TUNING, TrainConfig, changed
    from gpttui.training.recipes import recipe

    if recipe_name is None:
        if "data" not in options:
            raise click.UsageError("--data says what to learn from: a file, a directory, - or corpus:NAME")
        gentle = FINE_TUNING if "init" in options else {}
        return changed(_like_its_base(TrainConfig(data=options["data"]), options), **gentle | options)
    config = changed(_like_its_base(recipe(recipe_name).config, options), **options, recipe=recipe_name)
    return config if "data" in options else changed(config, data=_public_text(config.data))


def _like_its_base(config: "TrainConfig", options: dict[str, Any]) -> "TrainConfig":
    """`config` in the shape of the model to fine-tune, if any. Raises UserError for options of another shape."""
    from gpttui.model import checkpoint
    from gpttui.training.shape import like_base

    init = options.get("init")
    return like_base(config, checkpoint.read_shape(Path(init)), options) if init else config


def _public_text(data: str) -> str:
    """A recipe's text: a corpus as it stands, a public text where `gpttui data` put it."""
    from gpttui import locations

    if data.startswith("corpus:"):
        return data
    file = locations.texts_dir() / data
    if not file.exists():
        raise UserError(
            f"this recipe learns from {data}, which is not here; `gpttui data {Path(data).stem}` fetches it, or --data"
            " names another"
        )
    return str(file)


def _resumed_config(path: Path, options: dict[str, Any]) -> "TrainConfig":
    """The run's config with `options`. Raises UsageError, naming one, where they are of another run than this one."""
    from gpttui.runs import rundir
    from gpttui.runs.config import changed

    config = rundir.read_config(path)
    for name in sorted(OF_THE_RUN & options.keys()):
        had, given = _had(config, name), options[name]
        if given != had and not (name in ("data", "init") and _same_file(str(had), given)):
            option = f"--{name.replace('_', '-')}"
            has = f"was begun without {option}" if had is False or had == "" else f"has {option} {had}, not {given}"
            raise click.UsageError(f"the run to go on with {has}; leave out {option}, or start a new run")
    if options.get("steps"):
        options = {"minutes": 0.0} | options
    if options.get("lr", config.lr) != config.lr:
        options = {"lr_scale": 1.0} | options
    return changed(config, **{name: value for name, value in options.items() if name not in OF_THE_RUN})


OF_THE_RUN = frozenset(
    "recipe data text_field tokenizer documents from_starts starts_share corpus_documents val_fraction init arch "
    "layers heads width context kv_heads mlp_width activation qk_gain norm_place embed_scale optimizer".split()
)
"""What a run keeps to its end: its text, its shape, and the kind of its optimiser's moments."""


def _had(config: "TrainConfig", name: str) -> Any:
    """What an option for this field would have said."""
    value = getattr(config, name)
    if value is None:
        return {"kv_heads": config.heads, "mlp_width": 4 * config.width}[name]
    return value


def _same_file(had: str, given: str) -> bool:
    """The run may have been begun in another directory, from which its path was meant."""
    parts, found = Path(had).expanduser().parts, Path(given).expanduser().resolve()
    return Path(*parts).resolve() == found or found.parts[-len(parts) :] == parts


@contextlib.contextmanager
def _on_signals(handler: Callable[[int, Any], object]) -> Iterator[None]:
    """What `handler` does when someone ends the program. A hang-up that is ignored (`nohup`) stays so."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    numbers += [] if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else [signal.SIGHUP]
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, one in before.items():
            signal.signal(number, one)


def _leave(number: int, _: Any) -> None:
    """Before the first step there is nothing to save, only things to take back."""
    raise SystemExit(128 + number)


def _train(run: "Run", as_json: bool, export_to: Path | None) -> int:
    """Consume the run's events; the exit code. `export_to` is told to who stops it, to be given again."""
    from gpttui.cli.train_output import Printer
    from gpttui.runs.events import RunEnded, RunFailed
    from gpttui.sessions.command import resume_command

    trainer, caught = run.trainer, [0]

    def on_signal(number: int, _: Any) -> None:
        caught[0] = number
        trainer.stop()

    failure, unheard = "", None
    printer = Printer(trainer.config, run.path, as_json=as_json, silent=not trainer.world.leads)
    with _on_signals(on_signal), printer:
        for event in trainer.events():
            if event is None:
                continue
            try:
                printer.show(event)
            except OSError as error:  # whoever read it has gone: the run is saved all the same
                unheard, printer.silent = error, True
                trainer.stop()
            if isinstance(event, RunFailed):
                failure = event.message
            stopped = isinstance(event, RunEnded) and event.reason == "stopped"
    if failure:
        raise UserError(failure)
    if stopped:
        if unheard is not None and not caught[0]:
            raise unheard
        if trainer.world.leads:
            words = resume_command(str(run.path), "" if export_to is None else str(export_to))
            with contextlib.suppress(OSError):
                click.echo(f"stopped; go on with: {words}", err=True)
        return 128 + (caught[0] or signal.SIGTERM)  # another of several processes may have been told to stop
    return 0


def _list_recipes() -> None:
    from gpttui.cli.output import table
    from gpttui.training.recipes import RECIPES

    rows = [["recipe", "model", "steps", "learns from"]]
    rows += [[name, r.title, f"{r.config.steps:,}", r.data] for name, r in RECIPES.items()]
    click.echo("\n".join(table(rows, right=frozenset({2}))))
