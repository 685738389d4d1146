"""Who and what appears in a tale: casting, drawn through the chooser so that every draw is visible in the text."""

from __future__ import annotations

from gpttui.corpora.tales import lexicon
from gpttui.corpora.tales.lexicon import FOOD, SORTS, Place, Sort, Spot, with_article
from gpttui.corpora.tales.phrases import OPENINGS
from gpttui.corpora.tales.telling import Teller
from gpttui.corpora.tales.world import Gender, Person, Thing


def _he_or_she(t: Teller) -> Gender:
    return "he" if t.draw.flip(0.5) else "she"


def child(t: Teller, unlike: Person | None = None) -> tuple[Person, str]:
    """A child and its noun; never the same name as `unlike`."""
    gender = _he_or_she(t)
    names = lexicon.BOYS if gender == "he" else lexicon.GIRLS
    if unlike is not None and unlike.name in names:
        name = t.draw.pick_other(names, unlike.name)
    else:
        name = t.draw.pick(names)
    return Person(name, gender, t.marked), "boy" if gender == "he" else "girl"


def animal(t: Teller, unlike: Person | None = None) -> tuple[Person, str]:
    """An animal with a name, and its kind."""
    gender = _he_or_she(t)
    names = lexicon.PETS_HE if gender == "he" else lexicon.PETS_SHE
    if unlike is not None and unlike.name in names:
        name = t.draw.pick_other(names, unlike.name)
    else:
        name = t.draw.pick(names)
    return Person(name, gender, t.marked), t.draw.pick(lexicon.KINDS)


def grown_up(t: Teller) -> Person:
    """Somebody with a surname."""
    gender = _he_or_she(t)
    title = "Mr" if gender == "he" else "Mrs"
    return Person(f"{title} {t.draw.pick(lexicon.SURNAMES)}", gender, t.marked)


def worker(t: Teller) -> tuple[Person, str]:
    """A grown-up with a trade."""
    return grown_up(t), t.draw.pick(lexicon.JOBS)


def relative(t: Teller) -> tuple[Person, str]:
    """An uncle, an aunt or a grandparent."""
    gender = _he_or_she(t)
    if gender == "he":
        title, name, noun = "Uncle" if t.draw.flip(0.5) else "Grandpa", t.draw.pick(lexicon.UNCLES), "man"
    else:
        title, name, noun = "Aunt" if t.draw.flip(0.5) else "Grandma", t.draw.pick(lexicon.AUNTS), "woman"
    return Person(f"{title} {name}", gender, t.marked), noun


def described(t: Teller, noun: str) -> str:
    """*a brave girl*: a trait drawn for a noun."""
    return with_article(f"{t.draw.pick(lexicon.TRAITS)} {noun}")


def opening(t: Teller, x: Person, noun: str) -> None:
    """The first sentence: who X is, and where X lives. Home and day are drawn here, and told here and in `DAYS`."""
    t.roles["day"] = t.draw.pick(lexicon.DAYTIMES)
    t.roles["who"] = described(t, noun)
    t.roles["home"] = t.draw.pick(lexicon.HOMES)
    t.say(OPENINGS, x)


def hero(t: Teller) -> tuple[Person, str]:
    """Whom the tale is about: half of them children, three in ten animals, two in ten at work."""
    if t.draw.flip(0.5):
        return child(t)
    return animal(t) if t.draw.flip(0.6) else worker(t)


def friend(t: Teller, x: Person) -> tuple[Person, str]:
    """The other one; at most one of the two has a title (two tales in a hundred mixed up `Mr A` and `Mrs B`)."""
    if t.draw.flip(0.4):
        return child(t, x)
    if x.name.startswith("Mr") or t.draw.flip(0.5):
        return animal(t, x)
    return worker(t) if t.draw.flip(0.5) else relative(t)


def pair(t: Teller, x: Person, y: Person) -> Person:
    """Both of them, as one plural person."""
    return Person(f"{x.name} and {y.name}", "they", t.marked)


def stranger(t: Teller, kind: str) -> Person:
    """An animal without a name: *the magpie*, *it*."""
    return Person(f"the {kind}", "it", t.marked)


def thing_of(t: Teller, sort: Sort, unlike: Thing | None = None) -> Thing:
    """A thing of one sort, one in five of them plural."""
    plural = t.draw.flip(0.2)
    nouns = sort.plurals if plural else sort.nouns
    noun = t.draw.pick_other(nouns, unlike.noun) if unlike and unlike.noun in nouns else t.draw.pick(nouns)
    if unlike is not None and unlike.look in sort.looks:
        look = t.draw.pick_other(sort.looks, unlike.look)
    else:
        look = t.draw.pick(sort.looks)
    return Thing(noun, look, plural, sort, t.marked)


def thing(t: Teller, unlike: Thing | None = None) -> Thing:
    """A thing of any sort that is not food."""
    return thing_of(t, t.draw.pick(SORTS), unlike)


def food(t: Teller) -> Thing:
    """Something to eat."""
    return thing_of(t, FOOD)


def place(t: Teller) -> Place:
    """A place, which becomes the scene."""
    where = t.draw.pick(lexicon.PLACES)
    t.scene(where)
    return where


def spot(t: Teller, where: Place, taken: Spot | None = None) -> Spot:
    """A spot at `where`, other than `taken`."""
    return t.draw.pick(where.spots) if taken is None else t.draw.pick_other(where.spots, taken)
