"""The state of one tale's world, and the actions that change it.

For: who holds, owns, hid, broke or ate what, and what lies where. Every action checks that it is possible
and is logged.
Not for: words about it (`telling`). An action that cannot happen raises ValueError: it would be a bug in a
plot.
"""

from typing import Literal, NamedTuple

from gpttui.corpora.tales.lexicon import Sort, Spot, article

Gender = Literal["he", "she", "it", "they"]
FORMS: dict[str, tuple[str, str, str, str]] = {
    "he": ("he", "him", "his", "himself"),
    "she": ("she", "her", "her", "herself"),
    "it": ("it", "it", "its", "itself"),
    "they": ("they", "them", "their", "themselves"),
}
FREE, BOUND, COUNT, RECALL, END = "\x01", "\x02", "\x03", "\x04", "\x05"
"""Marks around words that the probes ask for; they are written only when a telling is marked, and taken out again."""


class Event(NamedTuple):
    """One change of the world, and where in the text it is told."""

    verb: str
    who: str
    what: str
    where: str
    sentence: int


class Person:
    """Somebody with a name or a description, a gender, and ready role words for the templates."""

    __slots__ = ("as_other", "as_subject", "gender", "name", "plural", "pronoun")

    def __init__(self, name: str, gender: Gender, marked: bool = False) -> None:
        self.name = name
        self.gender = gender
        self.plural = gender == "they"
        he, him, his, himself = FORMS[gender]
        self.as_other = {"Y": name, "yhe": he, "yhim": him, "yhis": his}
        self.pronoun = he
        if marked:
            self.pronoun = f"{FREE}{he}{END}"
            he, him, his, himself = (f"{BOUND}{form}{END}" for form in (he, him, his, himself))
        self.as_subject = {"X": name, "he": he, "him": him, "his": his, "himself": himself}


class Thing:
    """Something that can be held, put, lost, broken or eaten; `words` are its role words under the key letter `o`."""

    __slots__ = ("gone", "holder", "look", "noun", "owner", "plural", "sort", "spot", "whole", "words")

    def __init__(self, noun: str, look: str, plural: bool, sort: Sort, marked: bool = False) -> None:
        self.noun, self.look, self.plural, self.sort = noun, look, plural, sort
        self.owner: Person | None = None
        self.holder: Person | None = None
        self.spot: Spot | None = None
        self.whole = True
        self.gone = False
        they, them = ("they", "them") if plural else ("it", "it")
        full = f"{look} {noun}"
        count = f"{COUNT}{them}{END}" if marked else them
        self.words = {
            "o": f"the {noun}",
            "on": noun,
            "ro": f"the {full}",
            "rn": full,
            "it": count,
            "they": they,
            "ao": f"some {full}" if plural else f"{article(full)} {full}",
            "thiso": f"these {noun}" if plural else f"this {noun}",
            "was": "were" if plural else "was",
            "is": "are" if plural else "is",
            "s": "" if plural else "s",
        }


class World:
    """Checks and logs actions; `sentence` is the number of the sentence that is told next."""

    __slots__ = ("log", "sentence")

    def __init__(self) -> None:
        self.log: list[Event] = []
        self.sentence = 0

    def _note(self, verb: str, who: Person, what: Thing, where: str = "") -> None:
        self.log.append(Event(verb, who.name, what.noun, where, self.sentence))

    def get(self, who: Person, thing: Thing) -> None:
        """`who` gets a thing that is nobody's yet."""
        _demand(thing.owner is None and not thing.gone, "cannot get it twice")
        thing.owner = thing.holder = who
        self._note("get", who, thing)

    def put(self, who: Person, thing: Thing, spot: Spot, verb: str = "put") -> None:
        """`who`, holding `thing`, puts (hides, loses, drops) it at `spot`."""
        _demand(thing.holder is who, "only the holder can put it")
        thing.holder, thing.spot = None, spot
        self._note(verb, who, thing, f"{spot.prep} {spot.noun}")

    def take(self, who: Person, thing: Thing, verb: str = "take") -> Spot:
        """`who` takes (finds) `thing` from the spot where it was put, which is returned."""
        _demand(thing.spot is not None and not thing.gone, "it lies nowhere")
        spot = thing.spot
        assert spot is not None
        thing.holder, thing.spot = who, None
        self._note(verb, who, thing, f"{spot.prep} {spot.noun}")
        return spot

    def steal(self, who: Person, thing: Thing) -> None:
        """`who` snatches `thing` from its holder, and does not become its owner."""
        _demand(thing.holder is not None and thing.holder is not who, "there is nobody to steal it from")
        thing.holder = who
        self._note("steal", who, thing)

    def give(self, who: Person, thing: Thing, to: Person, lend: bool = False) -> None:
        """`who` hands `thing` over; it changes its owner unless it is lent or given back."""
        _demand(thing.holder is who, "only the holder can give it")
        thing.holder = to
        if not lend:
            thing.owner = to
        self._note("lend" if lend else "give", who, thing, to.name)

    def damage(self, who: Person, thing: Thing) -> None:
        """`thing` breaks in the hands of `who`."""
        _demand(thing.whole and not thing.gone, "it is broken already")
        thing.whole = False
        self._note("break", who, thing)

    def mend(self, who: Person, thing: Thing) -> None:
        """`who` mends `thing`, which is broken."""
        _demand(not thing.whole, "it is not broken")
        thing.whole = True
        self._note("mend", who, thing)

    def eat(self, who: Person, thing: Thing) -> None:
        """`who` eats `thing`, and it is gone."""
        _demand(not thing.gone, "it is eaten already")
        thing.gone, thing.holder, thing.spot = True, None, None
        self._note("eat", who, thing)


def _demand(possible: bool, reason: str) -> None:
    if not possible:
        raise ValueError(f"an impossible action in a tale: {reason}")
