"""Telling: from a world to sentences.

A `Teller` keeps one tale's tense, cast and focus, draws paraphrases and sentence forms, and decides between
name and pronoun. A pronoun at the head of a sentence always means the subject of the sentence before; `he`,
`his`, `him` inside a sentence always mean the sentence's own subject. Not for: deciding what happens
(`plots`).
"""

from gpttui.corpora.tales.chooser import Chooser
from gpttui.corpora.tales.grammar import PAST, PRESENT, Book
from gpttui.corpora.tales.lexicon import POOLS, Place, Spot
from gpttui.corpora.tales.phrases import BOOKS as p
from gpttui.corpora.tales.phrases import JOINS, SLOTS
from gpttui.corpora.tales.world import END, RECALL, Person, Thing, World

PRONOUN_SHARE = 0.7
LEAD_SHARE = 0.3
ADVERB_SHARE = 0.25
TAIL_SHARE = 0.5
_CLOSED = frozenset('.!?"')


class Roles(dict[str, str]):
    """The slots of the templates; one that names a pool (`{COLOUR}`) or `{use}` is drawn anew each time it is read."""

    __slots__ = ("_draw", "thing")

    def __init__(self, draw: Chooser) -> None:
        super().__init__()
        self._draw = draw
        self.thing: Thing

    def __missing__(self, key: str) -> str:
        if key == "use":
            return self._draw.pick(self.thing.sort.uses).format(it=self.thing.words["o"])
        return self._draw.pick(SLOTS[key])


class Teller:
    """One tale in the making: `lines` are its sentences so far."""

    __slots__ = ("draw", "focus", "lines", "marked", "roles", "tense", "world")

    def __init__(self, draw: Chooser, marked: bool = False) -> None:
        self.draw = draw
        self.marked = marked
        self.world = World()
        self.roles = Roles(draw)
        self.lines: list[str] = []
        self.focus: Person | None = None
        self.tense = PAST

    def choose_tense(self) -> None:
        """Past for seven tales in ten."""
        self.tense = PAST if self.draw.flip(0.7) else PRESENT

    def line(self, text: str) -> None:
        """Add a finished sentence, with a capital."""
        head = 1 if text[0] < " " or text[0] == '"' else 0
        self.lines.append(text[:head] + text[head].upper() + text[head + 1 :])
        self.world.sentence += 1

    def about(self, thing: Thing) -> None:
        """The slots of the things' own words now mean `thing`."""
        self.roles.update(thing.words)
        self.roles.thing = thing
        self.roles["was"] = thing.words["was" if self.tense == PAST else "is"]

    def at(self, spot: Spot, recall: bool = False) -> None:
        """The slot `{at}` now means `spot`, and `{c}` its noun; `recall` marks it as something to be remembered."""
        noun = f"{RECALL}{spot.noun}{END}" if recall and self.marked else spot.noun
        self.roles["at"] = f"{spot.prep} the {noun}"
        self.roles["c"] = f"the {noun}"

    def scene(self, place: Place) -> None:
        """The slots `{in}`, `{place}` now mean `place`."""
        self.roles["in"] = f"{place.prep} the {place.noun}" if place.noun != "school" else "at school"
        self.roles["to"] = f"to the {place.noun}" if place.noun != "school" else "to school"

    def _cast(self, subject: Person | None, other: Person | None) -> Roles:
        """The slots, once those of who acts and of the other one are theirs."""
        self.roles.update({} if subject is None else subject.as_subject)
        self.roles.update({} if other is None else other.as_other)
        return self.roles

    def say(
        self, phrase_book: Book, subject: Person | None = None, other: Person | None = None, plural: bool = False
    ) -> None:
        """A whole sentence from `phrase_book`; afterwards a pronoun can mean `subject`."""
        roles = self._cast(subject, other)
        plural = plural if subject is None else subject.plural
        text = self.draw.pick(phrase_book)[self.tense + plural](roles)
        self.line(text if text[-1] in _CLOSED else text + ".")
        self.focus = subject

    def tell(
        self,
        subject: Person,
        first: Book,
        second: Book | None = None,
        other: Person | None = None,
        *,
        lead: Book | None = None,
        tail: Book | None = None,
        manner: bool = False,
        joins: tuple[str, ...] = JOINS,
    ) -> None:
        """A sentence whose subject does one or two things, in one of many forms.

        `lead` opens it for certain (if empty, never), `tail` closes it sometimes, `manner` allows an adverb.
        """
        draw, roles = self.draw, self._cast(subject, other)
        form = self.tense + subject.plural
        name = subject.name
        if subject is self.focus and draw.flip(PRONOUN_SHARE):
            name = subject.pronoun
        if lead:
            name = f"{draw.pick(lead)[self.tense](roles)} {name}"
        elif lead is None and draw.flip(LEAD_SHARE):
            name = f"{draw.pick(p.LEADS)[self.tense](roles)} {name}"
        if manner and draw.flip(ADVERB_SHARE):
            name = f"{name} {draw.pick(POOLS.ADVERB)}"
        text = f"{name} {draw.pick(first)[form](roles)}"
        if tail is not None and draw.flip(TAIL_SHARE):
            text = f"{text} {draw.pick(tail)[form](roles)}"
        if second is None:
            self.line(text + ".")
        else:
            join = draw.pick(joins)
            then = draw.pick(second)[form](roles)
            if join == ".":
                self.line(text + ".")
                self.line(f"then {roles['he']} {then}.")
            else:
                self.line(f"{text}{join.format_map(roles)} {then}.")
        self.focus = subject if other is None or other.gender != subject.gender else None

    def quote(self, speech: Book, speaker: Person, other: Person | None = None, asks: bool = False) -> None:
        """Direct speech; its text ends without a mark, which is added here."""
        draw, roles = self.draw, self._cast(speaker, other)
        words = draw.pick(speech)[PRESENT](roles)
        words = words[0].upper() + words[1:]
        verb = draw.pick(p.ASKED if asks else p.SAID)[self.tense + speaker.plural](roles)
        if draw.flip(0.6):
            end = "?" if asks else "," if draw.flip(0.8) else "!"
            self.line(f'"{words}{end}" {verb} {speaker.name}.')
        else:
            who = speaker.pronoun if speaker is self.focus and draw.flip(PRONOUN_SHARE) else speaker.name
            self.line(f'{who} {verb}, "{words}{"?" if asks else "."}"')
        self.focus = speaker if other is None or other.gender != speaker.gender else None
