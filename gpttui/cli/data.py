"""`gpttui data`: what can be trained on, and fetching public texts."""

import sys
from pathlib import Path

import click

from gpttui.cli.options import json_option, verb
from gpttui.cli.output import note, print_json, size, table


@verb()
@click.argument("name", required=False)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Put the text there instead.")
@json_option
def command(name: str | None, out: Path | None, as_json: bool) -> None:
    """List what can be trained on; with the NAME of a public text, fetch it and print where it is.

    A download that broke off goes on where it stopped; what arrives is checked against a known SHA-256.
    """
    from gpttui.corpora import datasets

    if name is not None:
        file = _fetch(name, out)
        if as_json:
            print_json({"name": name, "path": str(file), "size_bytes": file.stat().st_size})
        else:
            click.echo(str(file))
        return
    listed = datasets.listing()
    if as_json:
        print_json(listed)
        return
    rows = [["name", "kind", "size", "tokenizer", "what it is"]]
    for entry in listed:
        needed = f"needs {entry.needs}" if entry.needs else "to fetch"
        kind = entry.kind if entry.here else f"{entry.kind}, {needed}"
        amount = "" if entry.size_bytes is None else size(entry.size_bytes, "B")
        rows.append([entry.name, kind, amount, entry.tokenizer, entry.description])
    click.echo("\n".join(table(rows, right=frozenset({2}))))
    click.echo(
        "\nTrain on one with `gpttui train --data corpus:NAME`, on a public text with `gpttui train --data NAME` once\n"
        "`gpttui data NAME` has fetched it, on your own with `gpttui train --data FILE`."
    )


def _fetch(name: str, out: Path | None) -> Path:
    """Fetches with a bar on a terminal, with nothing but the last line elsewhere."""
    from gpttui.corpora import datasets

    text = datasets.public_text(name)
    if not sys.stderr.isatty():
        return datasets.fetch(text, out)
    with click.progressbar(length=text.size_bytes, label=text.name, file=sys.stderr) as bar:
        file = datasets.fetch(text, out, lambda done, total: bar.update(done - bar.pos))
    note(f"{text.name}: {size(text.size_bytes, 'B')}, checksum verified")
    return file
