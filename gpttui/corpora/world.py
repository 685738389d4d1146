"""Tales and everyday sentences together: a world that is told in stories and spoken of in plain words.

One document in three is a tale. Its vocabulary is also to hold words that neither says: common English ones, so that
what a person writes is not cut into crumbs, and those of the essay on transformers.
"""

from collections.abc import Iterator
from itertools import count

from gpttui.corpora import tables
from gpttui.corpora.everyday import telling as everyday
from gpttui.corpora.tales import story as tales

TALES_EVERY = 3
"""Of so many documents one is a tale."""


def documents(seed: int, n: int | None = None) -> Iterator[str]:
    """`n` documents (endlessly many if None), one line each; seeds from 1,000,000 on are for evaluation only."""
    told, said = tales.documents(seed), everyday.documents(seed)
    for number in count() if n is None else range(n):
        yield next(said if number % TALES_EVERY else told)


def words() -> Iterator[str]:
    """Lines of words to learn the vocabulary from, beside the documents: those that the tokenizer would cut most often
    stand in them most often. A line stands for some 40,000 documents' worth."""
    for heading, listed in tables.read("world_words").items():
        for _ in range(int(heading.removeprefix("TIMES_"))):
            yield " " + " ".join(listed.split())
