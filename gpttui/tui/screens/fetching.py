"""What the shelf tells of a model that can be fetched: what it is, under which terms, how large, and how far it is."""

from rich.console import Group
from rich.table import Table
from rich.text import Text

from gpttui.storage.getting import Known, Offer
from gpttui.text import safe_text
from gpttui.tui.session.fetching import Fetching

BAR = 20
"""Cells of the bar."""


def megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.2f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.1f} MB"


def told(name: str, known: Known, fetching: Fetching | None) -> Group:
    """The card of a model that is not here yet."""
    head = Text().append(safe_text(name), "bold").append(f"\n{safe_text(known.title)}. {safe_text(known.about)}\n")
    offer = None if fetching is None else fetching.offer
    rows = [
        ("size", _size(known, offer)),
        ("licence", safe_text(known.licence if offer is None else offer.licence)),
        ("terms", safe_text(known.terms)),
        ("from", "asked when you press Enter" if offer is None else safe_text(offer.where)),
    ]
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_column(justify="right", style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for what, value in rows:
        if value:
            facts.add_row(what, Text(value))
    below = [] if fetching is None or not fetching.running else [Text(), _bar(fetching.done, fetching.total)]
    return Group(head, facts, *below)


def _size(known: Known, offer: Offer | None) -> str:
    if offer is not None:
        return f"{megabytes(offer.size_bytes)} to fetch"
    return megabytes(known.file_bytes) if known.file_bytes else "told by its source, before it is fetched"


def _bar(done: int, total: int) -> Text:
    share = min(1.0, done / total) if total else 0.0
    full = round(share * BAR)
    text = Text().append("━" * full, "bold").append("─" * (BAR - full), "dim")
    return text.append(f" {megabytes(done)} of {megabytes(total)}, {share:.0%}")


def question(fetching: Fetching) -> str:
    """What the next Enter does."""
    offer = fetching.offer
    if offer is None:
        return ""
    agreed = f"agrees to the {fetching.known.licence} (see terms) and " if fetching.known.terms else ""
    tail = f" · {fetching.problem}" if fetching.problem else ""
    return safe_text(f"Enter {agreed}fetches {fetching.name}: {megabytes(offer.size_bytes)}, {offer.licence}{tail}")
