"""Contradictions in a tale, found by reading nothing but its text.

For: tales that a model has written. It reads sentence by sentence, keeps what the tale has said so far, and notes what
cannot be. A sentence that it does not understand is no contradiction.
Not for: grammar or style beyond the agreement of pronouns.
"""

import re
from collections.abc import Sequence

from gpttui.corpora.tales import meanings, reading
from gpttui.corpora.tales.agreement import disagreements
from gpttui.corpora.tales.lexicon import FOOD, HOMES, POOLS
from gpttui.corpora.tales.reading import Sentence
from gpttui.corpora.tales.senses import Sense

_PUT = re.compile(
    r"\b(?:puts?|lays?|laid|leaves?|left|hides?|hid|(?<!its )places?|placed|tucks?|tucked|sets?|pops?|popped|stores?"
    r"|stored|drops?|dropped|bury|buries|buried|loses?|lost|forgets?|forgot|slip)\b"
)
_GIVE = re.compile(
    r"\b(?:gives?|gave|hands?|handed|returns?|returned|brings?|brought|lends?|lent|made|makes?|lets?"
    r"|says that|said that)\b"
)
_GET = re.compile(
    r"\b(?:finds?|found|picks?|picked|gets?|got|takes?|took|buys?|bought|brings?|brought|receives?|received|wins?|won"
    r"|pulls?|pulled|steals?|stole|grabs?|grabbed|snatch(?:es|ed)?)\b"
)
_IN_VAIN = re.compile(r"\bin vain\b|\bbut\b.*\b(?:not there|nothing|gone|dust)\b")
_NOBODY = re.compile(r"\bbut\b.*\b(?:not there|nobody|no one|wrong)\b|\bonly an? ")
_EAT = re.compile(r"\b(?:ate|eats?|swallows?|swallowed)\b|\bbites?\b.*\bgone\b|\bnibbles?d?\b.*\bleft\b")
_BREAK = re.compile(r"\bbroke\b|\bbreaks?\b|\bbroken\b")
_MEND = re.compile(r"\bmend(?:s|ed)?\b|\brepair(?:s|ed)?\b|\bfix(?:es|ed)?\b|\bglued?s? the pieces\b|\bwhole again\b")
_HIDE_ONESELF = re.compile(
    r"\b(?:crawls?|crawled) to a place|\b(?:holds?|held) \w+ breath|\b(?:chooses?|chose) a place|\b(?:sits?|sat) down"
    r"|\bhides?\b|\bhid\b"
)
_AWAY = re.compile(r"^(?:While|When) (?P<who>[^,]*?) (?:is|was|has|had) (?:out|asleep|gone home),")
_LATER = re.compile(
    r"^(?:The next|That|A week|After (?:lunch|supper)|An hour|When the|On \w+ of|At the end|When it|Before bedtime)"
)
_PLANS = re.compile(r"\bwants?(?:ed)? to give\b|\bfor (?!it\b)[A-Z]|\bneed|\bsays? yes\b(?!.*\blen[dt])")
_MINE = re.compile(r"\bmine\b|\bI (?:bought|paid)\b|belongs? to me")
_VOCATIVE = re.compile(rf", ({reading.NAME.pattern})$")
_HOME = re.compile("|".join(map(re.escape, HOMES)))
_DAY = re.compile(r"(?:never (?:forgot|forgets) that|the best|about that|picture of that) ([A-Z]?[a-z]+)\b(?!-)")


_HEAD = re.compile(rf"{reading.NAME.pattern}|\b(?:[Hh]e|[Ss]he)\b|{reading.STRAY.pattern}")


class _Tale:
    """What the tale has said so far."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.names: list[str] = []
        self.thing: str | None = None
        self.subject: str | None = None
        self.where: dict[str, str] = {}
        self.holder: dict[str, str] = {}
        self.owner: dict[str, str] = {}
        self.eaten: set[str] = set()
        self.broken: set[str] = set()
        self.mended: set[str] = set()
        self.hidden: dict[str, str] = {}
        self.away: str | None = None
        self.sense: tuple[Sense, int] | None = None
        self.opening = ""

    def no(self, complaint: str, sentence: Sentence) -> None:
        self.found.append(f"{complaint}: {sentence.text}")

    def thing_in(self, text: str, first: bool = False) -> str | None:
        """The thing that a text is about: the last one it names (or the first), or what `it` means."""
        named = reading.mentions_of_things(text)
        if named:
            return named[0 if first else -1].what
        return self.thing if re.search(r"\b(?:it|they|them)\b", text, re.IGNORECASE) else None


def _subject(tale: _Tale, sentence: Sentence) -> str | None:
    """Who acts: a name, two names joined, the last subject if a pronoun stands first, or a stray animal."""
    body = sentence.narration
    head = _HEAD.search(body)
    if head is None or " lived " in sentence.text[:40]:
        return None
    if (gender := reading.PRONOUN_GENDER.get(head.group().lower())) is not None:
        if tale.subject and reading.gender_of(tale.subject) == gender:
            return tale.subject
        meant = [name for name in tale.names if reading.gender_of(name) == gender]
        return meant[0] if len(meant) == 1 else tale.subject
    if reading.gender_of(head.group()) is not None:
        pair = re.match(rf"({reading.NAME.pattern}) and ({reading.NAME.pattern})", body[head.start() :])
        return pair.group() if pair else head.group()
    return head.group().lower() if reading.STRAY.match(head.group()) else None


def _check_places(tale: _Tale, sentence: Sentence) -> None:
    text = sentence.narration
    if not sentence.spots or " coins on " in text:
        return
    if sentence.things or not sentence.people or re.search(r"\b(?:it|they|them|nothing|dust)\b", text):
        if _IN_VAIN.search(text):
            thing = sentence.things[-1].what if sentence.things else tale.thing
            if thing and tale.where.get(thing) == sentence.spots[0].what and not tale.hidden:
                tale.no(f"the {thing} was put {tale.where[thing]} and is not there", sentence)
            return
        put = _PUT.search(text)
        start = put.end() if put else 0
        for i, spot in enumerate(sentence.spots):
            thing = tale.thing_in(text[start : spot.start])
            if thing is None and i == 0:
                thing = tale.thing_in(text[: spot.start]) or tale.thing_in(text[spot.start :])
            start = spot.start + len(spot.what)
            if thing is None:
                continue
            if put and put.start() < spot.start:
                _put(tale, sentence, thing, spot.what)
            else:
                _claim(tale, sentence, thing, spot.what)


def _put(tale: _Tale, sentence: Sentence, thing: str, spot: str) -> None:
    if thing in tale.eaten:
        tale.no(f"the {thing} was eaten before", sentence)
    holder = tale.holder.get(thing)
    if holder and tale.subject and holder != tale.subject and tale.subject in tale.names:
        tale.no(f"{tale.subject} puts the {thing}, which {holder} has", sentence)
    tale.where[thing] = spot
    tale.holder.pop(thing, None)


def _claim(tale: _Tale, sentence: Sentence, thing: str, spot: str) -> None:
    if thing in tale.eaten:
        tale.no(f"the {thing} was eaten before", sentence)
    elif tale.where.setdefault(thing, spot) != spot:
        tale.no(f"the {thing} was put {tale.where[thing]}", sentence)
    if not sentence.speech:
        tale.holder.pop(thing, None)


def _check_speech(tale: _Tale, sentence: Sentence) -> None:
    speaker = sentence.speaker or tale.subject
    for speech in sentence.speech:
        asked = speech.endswith("?")
        if "cry, " in speech or not asked:
            for spot in reading.mentions_of_spots(speech):
                thing = tale.thing_in(speech[: spot.start]) or tale.thing
                if thing is None and len(tale.where) == 1:
                    thing = next(iter(tale.where))
                if thing is not None and thing in tale.where:
                    _claim(tale, sentence, thing, spot.what)
        called = _VOCATIVE.search(speech.rstrip(",.!?"))
        if called and sentence.speaker and called.group(1) == speaker:
            tale.no(f"{speaker} speaks to {speaker}", sentence)
        thing = tale.thing_in(speech)
        owner = tale.owner.get(thing) if thing else None
        if _MINE.search(speech) and owner and speaker and owner != speaker:
            tale.no(f"the {thing} is {owner}'s", sentence)
    if tale.away and speaker == tale.away and not _LATER.match(sentence.text):
        tale.no(f"{speaker} is away", sentence)


def _check_hands(tale: _Tale, sentence: Sentence) -> None:
    """Who has, owns, eats, breaks and mends what."""
    text, who = sentence.narration, tale.subject
    thing = tale.thing_in(text, first=True)
    if thing is None or who is None or who not in tale.names:
        return
    give = _GIVE.search(text)
    other = [mention.what for mention in sentence.people if mention.what != who]
    holder = tale.holder.get(thing)
    if give and other and sentence.things and not _PLANS.search(text):
        bought = re.search(rf"\b(?:gives?|gave) (?:him|her) the\b|\bcoins for\b|\b{re.escape(other[-1])} gave\b", text)
        if bought:
            tale.owner[thing] = tale.holder[thing] = who
            return
        if holder and holder != who:
            tale.no(f"{who} gives away the {thing}, which {holder} has", sentence)
        tale.holder[thing] = other[-1]
        if not re.search(
            r"\bback\b|\breturn|\blen[dt]|\bborrow|\blets?\b|\bhand|\bpieces\b|\bbr(?:ings?|ought)\b", text
        ):
            tale.owner[thing] = other[-1]
    elif _EAT.search(text) and thing in {mention.what for mention in sentence.things}:
        if thing in tale.eaten:
            tale.no(f"the {thing} was eaten before", sentence)
        if "had eaten" not in text and thing in _FOOD:
            tale.eaten.add(thing)
    elif _MEND.search(text):
        if thing not in tale.broken | tale.mended:
            tale.no(f"the {thing} was not broken", sentence)
        tale.broken.discard(thing)
        tale.mended.add(thing)
    elif _BREAK.search(text) and "where" not in text:
        thing = tale.thing_in(text) or thing
        if thing in tale.broken:
            tale.no(f"the {thing} was broken before", sentence)
        tale.broken.add(thing)
    elif _GET.search(text) and sentence.things and not re.search(r"\bput|\bneeds?|\bwant|\bwish|\blong", text):
        for mention in sentence.things:
            tale.holder[mention.what] = who
        if re.search(rf"\b(?:an?|some) (?:[a-z-]+ )?{re.escape(thing)}\b", text):
            tale.owner.setdefault(thing, who)


_FOOD = frozenset(FOOD.nouns + FOOD.plurals)


def _check_hiding(tale: _Tale, sentence: Sentence) -> None:
    if not sentence.spots or sentence.things:
        return
    text, spot = sentence.narration, sentence.spots[0].what
    others = [mention.what for mention in sentence.people if mention.what != tale.subject]
    if (
        not sentence.things
        and tale.subject
        and not others
        and _HIDE_ONESELF.search(text)
        and tale.subject in tale.names
    ):
        tale.hidden[tale.subject] = spot
    for name, hideout in tale.hidden.items():
        if name == tale.subject:
            continue
        if _NOBODY.search(text):
            if hideout == spot:
                tale.no(f"{name} hides {hideout} and is not there", sentence)
        elif (
            name in others and re.search(r"\b(?:finds?|found|sees?|saw|discover(?:s|ed)?)\b", text) and hideout != spot
        ):
            tale.no(f"{name} hides {hideout}", sentence)


def _check_meaning(tale: _Tale, sentence: Sentence, i: int) -> None:
    led = meanings.meaning_led_to(sentence.narration)
    if led is not None:
        tale.sense = (led, i)
        return
    if tale.sense is not None and i - tale.sense[1] <= 2:
        follows = meanings.meanings_followed(sentence.text, tale.sense[0].word)
        if follows and tale.sense[0] not in follows:
            tale.no(f"this is not the {meanings.label(tale.sense[0])}", sentence)


def _check_ending(tale: _Tale, sentence: Sentence, before: Sequence[str]) -> None:
    home = _HOME.search(sentence.text)
    if home and before and home.group() not in tale.opening:
        tale.no("this is another home", sentence)
    day = _DAY.search(sentence.text)
    if day and day.group(1) in POOLS.DAYTIME and not any(day.group(1) in text for text in before):
        tale.no("this is another day", sentence)


def _check_explanation(pieces: Sequence[str]) -> list[str]:
    """Facts that belong to something else than what was just defined."""
    found: list[str] = []
    topics: list[str] = []
    for piece in pieces:
        for part in re.split(r"(?<=[.!?]) ", re.sub(r'^"|,?" .*$', "", piece)):
            defined = meanings.topics_defined(part)
            if defined:
                topics = defined
                continue
            facts = meanings.topics_of_fact(part)
            if facts and topics and not set(facts) & set(topics):
                found.append(f"this is not true of {topics[0]}: {part}")
    return found


def contradictions(text: str) -> list[str]:
    """What contradicts itself in a tale, one line each; empty for a tale without a contradiction."""
    tale = _Tale()
    pieces = reading.sentences(text)
    read = reading.read_all(pieces)
    tale.opening = pieces[0] if pieces else ""
    for i, sentence in enumerate(read):
        for mention in sentence.people:
            if mention.what not in tale.names:
                tale.names.append(mention.what)
                if len(tale.names) == 3:
                    tale.no(f"nobody has introduced {mention.what}", sentence)
        subject = _subject(tale, sentence)
        away = _AWAY.match(sentence.text)
        if _LATER.match(sentence.text):
            tale.away = None
        if away:
            tale.away = away.group("who")
        if tale.away and subject == tale.away:
            tale.no(f"{subject} is away", sentence)
        tale.subject = subject if subject is not None else tale.subject
        if reading.SENSE_WORD.search(sentence.narration) and not sentence.things:
            tale.thing = None
        _check_meaning(tale, sentence, i)
        _check_speech(tale, sentence)
        _check_hiding(tale, sentence)
        _check_places(tale, sentence)
        _check_hands(tale, sentence)
        _check_ending(tale, sentence, pieces[1:i])
        if sentence.things:
            tale.thing = sentence.things[-1].what
        for speech in sentence.speech:
            named = reading.mentions_of_things(speech)
            if named and named[-1].what in tale.where:
                tale.thing = named[-1].what
    return tale.found + disagreements(read) + _check_explanation(pieces)
