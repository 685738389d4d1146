"""The phrases of the tales world, and the pools of words that fill their slots.

Verb phrases follow a subject ("Mia", "she", "Mia and Tom"); books of sentences say so.
Slots: X the subject; Y the other one; o the thing (ao "a red kite", ro "the red kite", it, they); at a spot;
in, to a place; a pool's name one of its words, and with `A_` before it the word with its article.
"""

from gpttui.corpora.tables import Table
from gpttui.corpora.tales.grammar import book
from gpttui.corpora.tales.lexicon import HOBBIES, HOMES, POOLS, with_article

BOOKS = Table(book, "tales_phrases", "tales_plots", "tales_asides", "tales_explain")
SOFT_JOINS = (" and", ", and so {he}", " and soon", ", and {he}")
JOINS = (" and", ", and then {he}", ", then", ".", ", and after that {he}", " and at once")
SLOTS: dict[str, tuple[str, ...]] = {
    **POOLS.sections,
    **{f"A_{name}": tuple(map(with_article, pool)) for name, pool in POOLS.sections.items()},
    "HOME": HOMES,
    "HOBBY": HOBBIES,
    "NAME": POOLS.BOY + POOLS.GIRL,
    "STRAYS": tuple(word[:-1] + "ies" if word.endswith("fly") else word + "s" for word in POOLS.STRAY),
}
