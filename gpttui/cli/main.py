"""The command line: a table of verbs, each imported only when it is called, and the one place where errors end.

For: `gpttui` alone (the playground) and `gpttui VERB`. Not for: doing anything; every verb is a file beside this one.
`--help` and `--version` must load neither torch nor textual, so the table carries the short help itself.
"""

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click

from gpttui import __version__
from gpttui.cli.options import Utf8Command, playground_options
from gpttui.errors import UserError, nearest, no_such, one_line

EXIT_USER, EXIT_USAGE, EXIT_UNEXPECTED, EXIT_INTERRUPTED = 1, 2, 70, 130


class Verb(NamedTuple):
    """Where a verb lives, `module:attribute`, and the line that `gpttui --help` shows for it."""

    target: str
    help: str


VERBS = {
    "tour": Verb("gpttui.cli.tour:command", "Open the guided tour."),
    "models": Verb("gpttui.cli.models:command", "List the models that are here."),
    "get": Verb("gpttui.cli.get:command", "Fetch a known good model by name, or list them."),
    "generate": Verb("gpttui.cli.generate:command", "Continue a text; with --json, every token with its odds."),
    "tokens": Verb("gpttui.cli.tokens:command", "Show how a text is split into tokens."),
    "trace": Verb("gpttui.cli.trace:command", "Write every activation of one pass to an .npz file."),
    "train": Verb("gpttui.cli.train:command", "Train a model on a text, headless."),
    "eval": Verb("gpttui.cli.evaluate:command", "Measure a model's loss on a text."),
    "eval-task": Verb("gpttui.cli.eval_task:command", "Measure a bundled model's own score again."),
    "runs": Verb("gpttui.cli.runs:command", "List training runs."),
    "watch": Verb("gpttui.cli.watch:command", "Open the training screen on a run."),
    "data": Verb("gpttui.cli.data:command", "List texts to train on, and fetch public ones."),
    "corpus": Verb("gpttui.cli.corpus:command", "Print text from one of the generated worlds."),
    "export": Verb("gpttui.cli.export:command", "Write a model as a directory that transformers opens."),
    "convert": Verb("gpttui.cli.convert:command", "Make a model of a checkpoint of nanoGPT, llama2.c and others."),
    "bench": Verb("gpttui.cli.bench:command", "Measure a step, training or a real model on this machine."),
    "doctor": Verb("gpttui.cli.doctor:command", "Check the installation."),
    "engine": Verb("gpttui.cli.engine:command", "Serve a playground over stdin and stdout."),
}  # fmt: skip


def load(target: str) -> click.Command:
    """The click command at `module:attribute`."""
    module, _, attribute = target.partition(":")
    command = getattr(import_module(module), attribute)
    if not isinstance(command, click.Command):
        raise TypeError(f"{target} is no click command")
    return command


class LazyGroup(Utf8Command, click.Group):
    """A group whose help needs none of its commands, and which imports just the one that is called."""

    def __init__(self, *args: Any, verbs: Mapping[str, Verb], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return load(self.verbs[cmd_name].target) if cmd_name in self.verbs else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.verbs and not name.startswith("-"):
            ctx.fail(no_such("verb", name, self.verbs, "`gpttui --help` lists them"))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, verb.help) for name, verb in self.verbs.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # click would turn it into exit 1, yet `gpttui … | head` is no failure
            ctx.exit(0)


@click.group(
    cls=LazyGroup,
    verbs=VERBS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    subcommand_metavar="[VERB [ARGS]...]",
)
@playground_options
@click.version_option(__version__, prog_name="gpttui")
@click.pass_context
def cli(ctx: click.Context, /, **options: Any) -> Any:
    """See how a GPT works: step a real model token by token, train it, look inside.

    Without a verb, gpttui opens the playground.
    """
    if ctx.invoked_subcommand is None:
        return ctx.invoke(load("gpttui.cli.play:command"), **options)
    given = [name for name in options if ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT]
    if given:
        ctx.fail(f"--{given[0]} belongs behind the verb: gpttui {ctx.invoked_subcommand} --{given[0]} …")
    return None


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit. A known error is one line on stderr; no traceback ever reaches the terminal."""
    if sys.platform == "win32":
        sys.exit(
            "gpttui: gpttui runs on Linux and macOS; on Windows, use WSL (run `wsl --install`, then install it there)"
        )
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(args))


def run(args: list[str] | None) -> int:
    """The exit code of one command line: the int that the verb returned, 0 for one that returned nothing."""
    try:
        code = cli.main(args, prog_name="gpttui", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "gpttui"
        said = _no_option(error) if isinstance(error, click.NoSuchOption) else error.format_message().rstrip(".")
        return _fail(f"{said} (see `{where} --help`)", EXIT_USAGE)
    except click.ClickException as error:
        return _fail(error.format_message(), EXIT_USER)
    except click.Abort:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return 0
    except UserError as error:
        return _fail(one_line(error), EXIT_USER)
    except OSError as error:
        where = f"{error.filename}: " if error.filename is not None else ""
        return _fail(f"{where}{error.strerror or one_line(error)}", EXIT_USER)
    except MemoryError:
        return _fail("this needs more memory than the machine gives; try a smaller model or a shorter text", EXIT_USER)
    except Exception as error:
        from gpttui.tui import tracebacks

        return _fail(
            f"unexpected {type(error).__name__}: {one_line(error)} ({tracebacks.keep(error)})", EXIT_UNEXPECTED
        )


def _no_option(error: click.NoSuchOption) -> str:
    """Click lists three options, near and far, for it counts their dashes as letters; one is what a person needs."""
    params = error.ctx.command.get_params(error.ctx) if error.ctx else []
    known = {name.lstrip("-"): name for option in params for name in option.opts if name.startswith("-")}
    near = nearest(error.option_name.lstrip("-"), known)
    return f"there is no option {error.option_name}" + (f"; did you mean {known[near]}?" if near else "")


def _fail(message: str, code: int) -> int:
    from gpttui.text import safe_text

    click.echo(f"gpttui: {safe_text(message)}", err=True)
    return code


def _silence_stdout() -> None:
    """Keeps Python's own flush at exit from complaining about a reader that has gone."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
