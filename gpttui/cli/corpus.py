"""`gpttui corpus`: text from the generated worlds, on stdout."""

import json

import click

from gpttui.cli.options import verb
from gpttui.cli.output import shown, table


@verb()
@click.argument("name", required=False)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="From 1000000 on: held-out text."
)
@click.option("--n", "count", type=click.IntRange(min=0), default=10, show_default=True, help="Documents; 0: no end.")
@click.option("--json", "as_json", is_flag=True, help='A line {"text": …} for each document.')
def command(name: str | None, seed: int, count: int, as_json: bool) -> None:
    """Print documents of the corpus NAME; without NAME, say which there are.

    The same seed gives the same text. Documents of several lines are set apart by an empty line.
    """
    from gpttui.corpora.registry import CORPORA, open_corpus

    if name is None:
        rows = [["name", "what it is"], *([spec.name, spec.description] for spec in CORPORA.values())]
        click.echo("\n".join(table(rows)))
        return
    for document in open_corpus(name)(seed, count or None):
        if as_json:
            click.echo(json.dumps({"text": document}, ensure_ascii=False))
        else:
            click.echo(shown(document, keep="\n") + ("\n" if "\n" in document else ""))
