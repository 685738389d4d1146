"""Who and what appears in a tale: casting, drawn through the chooser so that every draw is visible in the text."""

from gpttui.corpora.tales.lexicon import FOOD, HOMES, PLACES, POOLS, SORTS, Place, Sort, Spot, with_article
from gpttui.corpora.tales.phrases import BOOKS as p
from gpttui.corpora.tales.telling import Teller
from gpttui.corpora.tales.world import Gender, Person, Thing


def _he_or_she(t: Teller) -> Gender:
    return "he" if t.draw.flip(0.5) else "she"


def _named(t: Teller, he: tuple[str, ...], she: tuple[str, ...], unlike: Person | None) -> Person:
    """Somebody with one of these names, never that of `unlike`."""
    gender = _he_or_she(t)
    name = t.draw.pick_unlike(he if gender == "he" else she, unlike.name if unlike else None)
    return Person(name, gender, t.marked)


def child(t: Teller, unlike: Person | None = None) -> tuple[Person, str]:
    """A child and its noun; never the same name as `unlike`."""
    person = _named(t, POOLS.BOY, POOLS.GIRL, unlike)
    return person, "boy" if person.gender == "he" else "girl"


def animal(t: Teller, unlike: Person | None = None) -> tuple[Person, str]:
    """An animal with a name, and its kind."""
    return _named(t, POOLS.PET_HE, POOLS.PET_SHE, unlike), t.draw.pick(POOLS.KIND)


def grown_up(t: Teller) -> Person:
    """Somebody with a surname."""
    gender = _he_or_she(t)
    title = "Mr" if gender == "he" else "Mrs"
    return Person(f"{title} {t.draw.pick(POOLS.SURNAME)}", gender, t.marked)


def worker(t: Teller) -> tuple[Person, str]:
    """A grown-up with a trade."""
    return grown_up(t), t.draw.pick(POOLS.JOB)


def relative(t: Teller) -> tuple[Person, str]:
    """An uncle, an aunt or a grandparent."""
    gender = _he_or_she(t)
    if gender == "he":
        title, name, noun = "Uncle" if t.draw.flip(0.5) else "Grandpa", t.draw.pick(POOLS.UNCLE), "man"
    else:
        title, name, noun = "Aunt" if t.draw.flip(0.5) else "Grandma", t.draw.pick(POOLS.AUNT), "woman"
    return Person(f"{title} {name}", gender, t.marked), noun


def described(t: Teller, noun: str) -> str:
    """*a brave girl*: a trait drawn for a noun."""
    return with_article(f"{t.draw.pick(POOLS.TRAIT)} {noun}")


def opening(t: Teller, x: Person, noun: str) -> None:
    """The first sentence: who X is, and where X lives. Home and day are drawn here, and told here and in `DAYS`."""
    t.roles["day"] = t.draw.pick(POOLS.DAYTIME)
    t.roles["who"] = described(t, noun)
    t.roles["home"] = t.draw.pick(HOMES)
    t.say(p.OPENINGS, x)


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
    noun = t.draw.pick_unlike(sort.plurals if plural else sort.nouns, unlike.noun if unlike else None)
    look = t.draw.pick_unlike(sort.looks, unlike.look if unlike else None)
    return Thing(noun, look, plural, sort, t.marked)


def thing(t: Teller, unlike: Thing | None = None) -> Thing:
    """A thing of any sort that is not food."""
    return thing_of(t, t.draw.pick(SORTS), unlike)


def food(t: Teller) -> Thing:
    """Something to eat."""
    return thing_of(t, FOOD)


def place(t: Teller) -> Place:
    """A place, which becomes the scene."""
    where = t.draw.pick(PLACES)
    t.scene(where)
    return where


def spot(t: Teller, where: Place, taken: Spot | None = None) -> Spot:
    """A spot at `where`, other than `taken`, which the slot `{at}` now means."""
    found = t.draw.pick_unlike(where.spots, taken)
    t.at(found)
    return found
