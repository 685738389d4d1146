"""Every pane explains itself in plain words, and says where to read more."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

from gpttui import tui
from gpttui.tui.widgets.loss import LossPane
from gpttui.tui.widgets.pane import Pane


def leaves(kind: type[Pane]) -> Iterator[type[Pane]]:
    """What is shown to a person: the classes of this program that nothing is derived from."""
    below = [sub for sub in kind.__subclasses__() if sub.__module__.startswith("gpttui.")]
    for sub in below:
        yield from leaves(sub)
    if not below:
        yield kind


def panes() -> "list[type[Pane] | type[LossPane]]":
    for module in pkgutil.walk_packages(tui.__path__, f"{tui.__name__}."):
        importlib.import_module(module.name)
    return [*leaves(Pane), LossPane]


@pytest.mark.parametrize("pane", panes(), ids=lambda pane: pane.__name__)
def test_a_pane_says_what_it_shows_and_where_to_read_more(pane: "type[Pane] | type[LossPane]") -> None:
    *words, more = pane.HELP.split("\n\n")
    assert "".join(words), "what you see, in plain words"
    assert re.match(r"More: .*\b(19|20)\d\d\b", more), "the last paragraph names authors, title and year"
