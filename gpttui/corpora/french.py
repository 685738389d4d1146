"""French as far as the translation corpus needs it: elision, contraction, plurals, conjugation, agreement.

For: turning a list of dictionary words into correct written French. Not for: general morphology; verbs that are
neither regular nor in IRREGULAR are conjugated as regular ones, so add them there first.
Source: the tables of the Bescherelle, typed by hand for the verbs in use.
"""

from dataclasses import dataclass
from functools import cache

from gpttui.corpora import tables

JE, IL, NOUS, VOUS, ILS = range(5)
"""Persons; `tu` is left out because English `you` could not tell it from `vous`."""

ETRE_VERBS = frozenset("aller venir revenir partir sortir arriver entrer rester tomber rentrer retourner".split())
ASPIRATED = frozenset("hibou hiboux haut haute hauts hautes héros huit onze".split())
ELIDING = {"le": "l'", "la": "l'", "de": "d'", "ne": "n'", "que": "qu'", "je": "j'", "me": "m'", "se": "s'"}
CONTRACTED = {("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux"}

_TABLES = tables.read("french")
_IRREGULAR: dict[str, str] = dict(line.split(": ") for line in _TABLES["IRREGULAR"].splitlines())
"""Infinitive → `je, il, nous, vous, ils in the present | future stem | past participle`."""
_STEM_CHANGES: dict[str, str] = dict(line.split(": ") for line in _TABLES["STEM_CHANGES"].splitlines())
"""-er verbs whose stem changes before a silent e → the stem in those forms, and in the future."""


@dataclass(frozen=True, slots=True)
class Conjugation:
    """A verb's forms; `present` and `past` (imparfait) are indexed by person."""

    present: tuple[str, ...]
    imparfait: tuple[str, ...]
    future: tuple[str, ...]
    participle: str


@cache
def conjugation(infinitive: str) -> Conjugation:
    """All forms in use of a verb. Raises ValueError if it ends neither in -er, -ir nor -re and is not listed."""
    present, future_stem, participle = _forms(infinitive)
    # être aside, the imparfait is built on the first person plural; mangeons loses its e before i
    stem = "ét" if infinitive == "être" else present[NOUS].removesuffix("ons")
    soft = stem.removesuffix("e") if stem.endswith("ge") else stem
    return Conjugation(
        present=tuple(present),
        imparfait=(stem + "ais", stem + "ait", soft + "ions", soft + "iez", stem + "aient"),
        future=tuple(future_stem + ending for ending in ("ai", "a", "ons", "ez", "ont")),
        participle=participle,
    )


def agree(masculine: str, *, feminine: bool, plural: bool) -> str:
    """A past participle with its agreement: allé, allée, allés, allées; pris stays pris in the plural."""
    word = masculine + "e" * feminine
    return word + "s" if plural and not word.endswith("s") else word


def plural_of(word: str) -> str:
    """The regular plural of a noun or adjective: chats, nez, châteaux, animaux, feux."""
    if word.endswith(("s", "x", "z")):
        return word
    if word.endswith(("eau", "eu")) and word != "bleu":
        return word + "x"
    if word.endswith("al"):
        return word[:-1] + "ux"
    return word + "s"


def elides(word: str) -> bool:
    """Whether the words of ELIDING lose their vowel before this one: a vowel or a mute h begins it."""
    return word not in ASPIRATED and word[:1] in "aàâeéèêiîoôuhœy"


def sentence(words: list[str]) -> str:
    """Words joined with elisions and contractions: de le chat -> du chat, ne aime -> n'aime.

    Object pronouns must not follow `de` or `à`, which would contract as articles do.
    """
    joined = ""
    position = 0
    while position < len(words):
        word = words[position]
        following = words[position + 1] if position + 1 < len(words) else ""
        beyond = words[position + 2] if position + 2 < len(words) else ""
        if (word, following) in CONTRACTED and not (following == "le" and elides(beyond)):
            joined += CONTRACTED[word, following] + " "
            position += 2
            continue
        joined += ELIDING[word] if word in ELIDING and elides(following) else word + " "
        position += 1
    return joined.rstrip().replace(" ,", ",").replace(" .", ".")


def _forms(infinitive: str) -> tuple[list[str], str, str]:
    if infinitive in _IRREGULAR:
        forms, future_stem, participle = _IRREGULAR[infinitive].split(" | ")
        return forms.split(), future_stem, participle
    stem, ending = infinitive[:-2], infinitive[-2:]
    if ending == "er":
        silent, future_stem = _STEM_CHANGES.get(infinitive, f"{stem} {infinitive}").split()
        before_o = stem + "e" if stem.endswith("g") else stem[:-1] + "ç" if stem.endswith("c") else stem
        return [silent + "e", silent + "e", before_o + "ons", stem + "ez", silent + "ent"], future_stem, stem + "é"
    if ending == "ir":
        present = [stem + suffix for suffix in ("is", "it", "issons", "issez", "issent")]
        return present, infinitive, stem + "i"
    if ending == "re":
        present = [stem + suffix for suffix in ("s", "", "ons", "ez", "ent")]
        return present, infinitive[:-1], stem + "u"
    raise ValueError(f"{infinitive} is neither a regular French verb nor in the table of irregular ones")
