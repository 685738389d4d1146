"""`gpttui get`: known good models by name, fetched with their size, licence and source told before."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from gpttui.cli.options import json_option, verb
from gpttui.cli.output import note, print_json, shown, size, table
from gpttui.errors import UserError

if TYPE_CHECKING:
    from gpttui.storage.getting import Known, Offer


@verb()
@click.argument("name", required=False)
@click.option("--list", "listed", is_flag=True, help="List what can be fetched by name.")
@click.option("--yes", is_flag=True, help="Agree to the model's terms, where it has any.")
@json_option
def command(name: str | None, listed: bool, yes: bool, as_json: bool) -> None:
    """Fetch the model NAME, or hub:OWNER/NAME, and print where it is; without a NAME, list what there is.

    A download that was interrupted goes on where it stopped. What arrives is checked before it is kept.
    """
    from gpttui.storage import getting

    if name is None or listed:
        _list(as_json)
        return
    if name in getting.table() and getting.is_here(name):
        note(f"{name} is here already")
        path = getting.place(name)
    else:
        if not name.startswith("hub:"):
            _agree(name, getting.known(name), yes)
        with _bar(name) as bar:
            path = getting.get(name, lambda offer: _show(name, offer), bar)
        note(f"{name} is here, its checksum verified; open it with `gpttui --model {name}`")
    print_json({"name": name, "path": str(path)}) if as_json else click.echo(str(path))


def _list(as_json: bool) -> None:
    from gpttui.storage import getting

    if as_json:
        here = {name: str(getting.place(name)) if getting.is_here(name) else None for name in getting.table()}
        print_json(
            [{"name": n, "title": k.title, "licence": k.licence, "path": here[n]} for n, k in getting.table().items()]
        )
        return
    rows = [["name", "model", "size", "licence", "here", "what it is"]]
    for name, known in getting.table().items():
        held = "yes" if getting.is_here(name) else ""
        amount = size(known.file_bytes, "B") if known.file_bytes else ""
        rows.append([name, known.title, amount, known.licence, held, known.about])
    click.echo("\n".join(table(rows, right=frozenset({2}))))
    click.echo(
        "\n`gpttui get NAME` fetches one, and tells its size first; `gpttui get hub:OWNER/NAME` any other of the hub."
    )


def _agree(name: str, known: "Known", yes: bool) -> None:
    """Raises UserError where a person would have to agree to terms, and has not."""
    if not known.terms:
        return
    note(f"{known.title} comes under the {known.licence}: {known.terms}")
    if yes:
        return
    if not sys.stdin.isatty():
        raise UserError(f"to agree to these terms, run `gpttui get {name} --yes`")
    if not click.confirm("Do you agree?", err=True):
        raise UserError(f"{name} was not fetched, for its terms were not agreed to")


def _show(name: str, offer: "Offer") -> None:
    note(f"{name}: {size(offer.size_bytes, 'B')}, licence {shown(offer.licence)}, from {offer.where}")


@contextmanager
def _bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = max(1, total)
            bar.update(done - bar.pos)

        yield progress
