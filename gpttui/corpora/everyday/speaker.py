"""From a relation's frames to sentences: one document's persons, tense and choices.

What the marks in a frame mean is written down in `table`.
"""

import re
from dataclasses import dataclass, field

from gpttui.corpora.everyday.forms import PRONOUNS, Pronouns, ing, is_plural, plural
from gpttui.corpora.everyday.table import Relation
from gpttui.corpora.tales.chooser import Chooser
from gpttui.corpora.tales.grammar import PAST, PRESENT, inflect, third_person
from gpttui.corpora.tales.lexicon import POOLS as TALES
from gpttui.corpora.tales.lexicon import with_article

MORE_BOYS = ("Ben", "Max", "Paul", "Peter", "John", "Jack", "Sam", "David", "Daniel", "Jim")
MORE_GIRLS = ("Anna", "Mary", "Emma", "Lisa", "Sara", "Alice", "Jane", "Kate", "Eva", "Julia")
HIS, HERS = (*TALES.BOY, *MORE_BOYS), (*TALES.GIRL, *MORE_GIRLS)
RELATIVES = {"she": ("mother", "sister", "grandmother", "aunt"), "he": ("father", "brother", "grandfather", "uncle")}
POOLS = {
    "anycolour": ("red", "blue", "green", "yellow", "black", "white", "brown", "orange", "pink", "purple", "grey"),
    "anyfood": ("apples", "cheese", "chocolate", "bread", "fish", "soup", "pizza", "cake", "rice", "bananas", "milk",
                "tea", "coffee", "ice cream", "strawberries", "potatoes"),
    "my": ("my", "my", "our"),
    "girl": HERS, "boy": HIS,
    "month": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
              "November", "December"),
}  # fmt: skip
NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
).split()
PREPOSITIONS = {
    place: preposition
    for preposition, places in {
        "on": "farm field stage ship boat sea beach building_site playground mountains",
        "at": "airport university police_station fire_station station harbour bakery butcher post_office hairdresser "
        "chemist petrol_station",
    }.items()
    for place in (name.replace("_", " ") for name in places.split())
}

SORTS_OF_PERSONS = ("pronoun",) * 6 + ("I",) * 3 + ("we", "they", "you") + ("name",) * 5 + ("noun",) * 4 + (
    "relative", "relative", "pair", "children", "children")  # fmt: skip
NOUNS = {
    "he": ("the boy", "the man", "the old man", "a boy", "a man", "the child", "the king"),
    "she": ("the girl", "the woman", "the old woman", "a girl", "a woman", "the queen"),
}
NOUN_PHRASES = ("the",) * 7 + ("a",) * 3 + ("plural",) * 4 + ("the plural",) * 2 + (
    "my", "my", "our", "his", "her", "name", "this")  # fmt: skip

_STANDS_FIRST = re.compile(r"[^<{]*?\b(I|we|you|people|they)\b")
_CHOICE = re.compile(r"\(([^()]*)\)")
_SLOT = re.compile(r"\{([^{}]*)\}|<([^<>]*)>")
_ARTICLE = re.compile(r"\ban? ([a-z]+)")
_START = re.compile(r"(^|[.?!] )([a-z])")
TENSES = ("present",) * 12 + ("past",) * 5 + ("continuous",) * 2 + ("will",)


@dataclass(slots=True)
class Speaker:
    """One document in the making: whom it speaks of, and in which tense."""

    draw: Chooser
    tense: str = "present"
    persons: dict[str, tuple[str, Pronouns]] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)
    subject: Pronouns = PRONOUNS["it"]
    names: dict[str, str] = field(default_factory=dict)
    chosen: str = ""
    relation: Relation = None  # type: ignore[assignment]
    row: dict[str, tuple[str, ...]] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)

    def about(self, relation: Relation) -> None:
        """From now on, sentences are of one row of `relation`."""
        self.relation = relation
        if relation.rows:
            self.row = dict(zip(relation.columns, self.draw.pick(relation.rows), strict=True))

    def sentence(self, frame: str) -> str:
        """The frame filled, with its capitals."""
        relation = self.relation
        if relation.order:
            frame = self._ordered(frame)
        elif not relation.columns:
            frame = self._added(frame)
        self.used = {}
        while match := _CHOICE.search(frame):
            self.chosen = self.draw.pick(match[1].split("|"))
            frame = frame[: match.start()] + self.chosen + frame[match.end() :]
        found = _STANDS_FIRST.match(frame)
        stands_first = {"people": "they"}.get(found[1], found[1]) if found else "it"
        self.subject = PRONOUNS[stands_first] if "{P" not in frame else self.subject
        text = frame
        while _SLOT.search(text):  # a value may hold slots of its own
            text = _SLOT.sub(self._fill, text)
        text = re.sub(r" +", " ", text).replace(" .", ".").replace(" ,", ",").replace(" ?", "?")
        text = _ARTICLE.sub(lambda match: with_article(match[1]), text)
        return _START.sub(lambda match: match[1] + match[2].upper(), text)

    def _ordered(self, frame: str) -> str:
        order = self.relation.order
        reach = max((int(n) for n in re.findall(r"\{(\d)\}", frame)), default=0)
        start = self.draw.pick(range(len(order) if self.relation.round else len(order) - reach))
        return re.sub(r"\{(\d)\}", lambda match: order[(start + int(match[1])) % len(order)], frame)

    def _added(self, frame: str) -> str:
        least = 2 if "(" in frame or "birds" in frame else 1
        a, b = self.draw.pick(range(least, 11)), self.draw.pick(range(least, 11))
        given = {"a": NUMBERS[a], "b": NUMBERS[b], "c": NUMBERS[a + b]}
        return re.sub(r"\{([abc])\}", lambda match: given[match[1]], frame)

    def _fill(self, match: re.Match[str]) -> str:
        return self._verb(match[2]) if match[2] is not None else self._slot(match[1])

    def _value(self, column: str) -> str:
        if column not in self.used:
            self.used[column] = self.draw.pick(self.row[column])
        return self.used[column]

    def _noun(self, name: str) -> str | None:
        """The value of a column's name, with its endings; None where there is no such column."""
        row = self.row
        if name in row:
            return self._value(name)
        if name.endswith("2") and name[:-1] in row:
            taken = self._value(name[:-1])
            return self.draw.pick([value for value in row[name[:-1]] if value != taken] or [taken])
        if name.endswith("ing") and name[:-3] in row:
            return ing(self._value(name[:-3]))
        if name.endswith("s") and name[:-1] in row:
            value = self._value(name[:-1])
            if name[:-1] not in self.relation.verbs:
                return plural(value)
            word, _, rest = value.partition(" ")
            return f"{third_person(word)} {rest}".strip()
        return None

    def _slot(self, slot: str) -> str:
        word, _, rest = slot.partition(" ")
        if slot == "=":
            return self.chosen
        if slot[0] in "PQ" and slot in ("P", "P1", "Q"):
            return self._person(slot)
        if slot in ("X", "Y", "X2"):
            return self._name(slot)
        lower = slot.lower()
        if (noun := self._noun(lower)) is not None and not rest:
            return noun
        if word == "S":
            return self._any(self._noun(rest) or rest)
        if word in ("a", "A"):
            return with_article(self._noun(rest) or rest)
        if word in ("the", "The"):
            noun = self._noun(rest) or rest
            return noun if noun[0].isupper() else f"the {noun}"
        if lower in ("theplace", "inplace", "atplace"):
            return self._place(lower)
        if slot == "agarment":
            garment = self._value("garment")
            return garment if is_plural(garment) else with_article(garment)
        if slot == "is":
            return self._be()
        if slot == "relative":
            gender = self.draw.pick(("he", "she"))
            self.subject = PRONOUNS[gender]
            return self.draw.pick(RELATIVES[gender])
        if word.lower() in ("he", "his", "him", "himself", "he2"):
            form = word.lower().rstrip("2")
            of = self._pronouns(rest) if rest else self.subject
            return str(getattr(of, form))
        return self.draw.pick(POOLS[slot])

    def _be(self) -> str:
        if self.subject is not PRONOUNS["it"]:
            return self._finite("be", "present", self.subject)
        first = self.used.get("a") or self.used.get("thing") or ""
        column = "b" if self.used.get("b") and list(self.used)[-1] == "b" else None
        return "are" if is_plural(self.used[column] if column else first or self._value(next(iter(self.row)))) else "is"

    def _place(self, how: str) -> str:
        """*the bakery*, *in the bakery* or *in a bakery*."""
        place = self._value("place")
        if place in ("school", "church"):
            return place if how == "theplace" else f"at {place}"
        noun = with_article(place) if how == "atplace" or place == "concert" else f"the {place}"
        return noun if how == "theplace" else f"{PREPOSITIONS.get(place, 'in')} {noun}"

    def _pronouns(self, who: str) -> Pronouns:
        if who not in self.persons:
            self._person(who) if who in ("P", "Q") else self._name(who)
        return self.persons[who][1]

    def _name(self, who: str) -> str:
        if who not in self.names:
            gender = self.draw.pick(("he", "she"))
            pool = HIS if gender == "he" else HERS
            self.names[who] = self.draw.pick([name for name in pool if name not in self.names.values()])
            self.persons[who] = self.names[who], PRONOUNS[gender]
        if who == "X":
            self.subject = self.persons[who][1]
        return self.names[who]

    def _person(self, who: str) -> str:
        """A person as a subject (`Q`: as an object); the second time mostly a pronoun."""
        one = who == "P1"
        key = who[0]
        if key in self.persons and not (one and self.persons[key][1].plural):
            phrase, pronouns = self.persons[key]
            if key == "P" and key in self.said and self.draw.flip(0.7):
                phrase = pronouns.he
        else:
            phrase, pronouns = self.persons[key] = self._anyone(one or key == "Q")
        self.said.add(key)
        if key == "P":
            self.subject = pronouns
            return phrase
        return pronouns.him if phrase == pronouns.he else phrase

    def _anyone(self, one: bool) -> tuple[str, Pronouns]:
        pick = self.draw.pick
        sort = pick(("pronoun", "pronoun", "pronoun", "name", "name", "relative", "noun") if one else SORTS_OF_PERSONS)
        if sort in PRONOUNS:
            return sort, PRONOUNS[sort]
        gender = pick(("he", "she"))
        pronouns = PRONOUNS[gender]
        if sort == "pronoun":
            return gender, pronouns
        if sort == "name":
            return pick(HIS if gender == "he" else HERS), pronouns
        if sort == "relative":
            return f"{pick(('my', 'my', 'his', 'her', 'our'))} {pick(RELATIVES[gender])}", pronouns
        if sort == "pair":
            return f"{pick(HIS)} and {pick(HERS)}", PRONOUNS["they"]
        if sort == "children":
            return pick(("the children", "the boys", "the girls", "people", "the men", "my friends")), PRONOUNS["they"]
        return pick(NOUNS[gender]), pronouns

    def _any(self, noun: str) -> str:
        """A noun phrase for `noun` that may open a sentence."""
        form = self.draw.pick(NOUN_PHRASES)
        if form in ("plural", "the plural"):
            self.subject = PRONOUNS["they"]
            return ("the " if form[0] == "t" else "") + plural(noun)
        self.subject = PRONOUNS["it"]
        if form == "a":
            return with_article(noun)
        return f"{self.draw.pick(HIS + HERS)}'s {noun}" if form == "name" else f"{form} {noun}"

    def _verb(self, text: str) -> str:
        verb = text.rstrip("!.+-")
        marks = text[len(verb) :]
        verb = self.draw.pick(verb.split("|")) if "|" in verb else verb
        verb = self._value(verb) if verb in self.row else verb
        subject = PRONOUNS["they"] if "+" in marks else PRONOUNS["it"] if "-" in marks else self.subject
        tense = self.tense
        if "!" in marks or ((verb == "be" or "." in marks) and tense != "past"):
            tense = "present"
        return self._finite(verb, tense, subject)

    def _finite(self, verb: str, tense: str, subject: Pronouns) -> str:
        word, _, rest = verb.partition(" ")
        if tense in ("continuous", "will"):
            be = "will" if tense == "will" else self._finite("be", "present", subject)
            return f"{be} {verb if tense == 'will' else ing(verb)}"
        if word == "be" and subject.he == "I":
            word = "was" if tense == "past" else "am"
        else:
            word = inflect(word, PAST if tense == "past" else PRESENT, subject.plural)
        return f"{word} {rest}".strip()
