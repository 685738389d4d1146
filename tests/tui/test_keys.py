"""Keys of the screens of panes: each does one thing."""

from collections import Counter
from itertools import chain

import pytest
from textual.binding import Binding

from gpttui.tui import keys


@pytest.mark.parametrize("bindings", [keys.PLAYGROUND, [*keys.of_all(), *keys.OF_A_SESSION]], ids=["playground", "all"])
def test_no_key_is_bound_twice(bindings: list[Binding]) -> None:
    bound = Counter(chain.from_iterable(binding.key.split(",") for binding in bindings))
    assert not [key for key, count in bound.items() if count > 1]
