"""Python's own documentation topics, which every installed Python carries for its `help()`.

For: real technical prose to train on without a download. Not for: the library
reference, which is not installed.
Source: `pydoc_data.topics` of the running Python, so the text differs from one version to the next.
"""

from collections.abc import Iterator
from itertools import islice

from gpttui.corpora.splits import is_held_out, is_held_out_seed, shuffled


def documents(seed: int, n: int | None = None) -> Iterator[str]:
    """Whole topics in an order drawn from the seed, over and over if n is None."""
    from pydoc_data.topics import topics

    names = sorted(name for name in topics if is_held_out(name) == is_held_out_seed(seed))
    yield from (topics[name].strip() for name in islice(shuffled(names, seed), n))
