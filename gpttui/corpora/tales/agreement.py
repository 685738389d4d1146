"""Whether the pronouns of a tale agree with those whom they can mean, in gender and in number.

For: the checker. The rule is the teller's own: the pronoun that is a sentence's subject means the subject of
the sentence before; any other means the sentence's own subject, or somebody else whom the sentence names
before it.
"""

import re
from collections.abc import Iterator, Sequence

from gpttui.corpora.tales import reading
from gpttui.corpora.tales.reading import PRONOUN_GENDER, Sentence

_PRONOUN = re.compile(r"\b(?:he|him|his|himself|she|her|herself)\b", re.IGNORECASE)
_FAMOUS = re.compile(r"\b(?:star|model)\b")
_PAIR = re.compile(rf"({reading.NAME.pattern}) and ({reading.NAME.pattern})")
_FIRST = re.compile(rf"{reading.NAME.pattern}|\b(?:[Hh]e|[Ss]he)\b|{reading.STRAY.pattern}")
_MENDED = re.compile(r"\b(?:as good as new|whole again|better than before|mended)\.$")
_NOT_A_PERSON = re.compile(r"\b(?:the|its|his|her|somebody|nobody|everyone|called|named)\b", re.IGNORECASE)
_OBJECT = re.compile(
    r"\b(?:takes?|took|breaks?|broke|picks?|picked|mends?|mended|hides?|hid|ate|eaten|bought|paid for|wanted|wants?"
    r"|find|borrow|keep|put|leaves?|left|sees?|saw|seen) (it|them)\b"
)
_PRESSED = re.compile(r"\bpress(?:es|ed)? $")
"""Before a button that is no thing of the tale's, but a computer's."""
_THERE = re.compile(r"\b(?:there|where) (it was|it is|they were|they are)\b")


class _Subject:
    """Who acts in a sentence: a gender, two people, an animal without a name, or nobody that is known."""

    def __init__(self, sentence: Sentence) -> None:
        text = sentence.narration
        first = _FIRST.search(text)
        self.gender: str | None = None
        self.two = self.stray = self.by_pronoun = False
        self.start = first.start() if first else -1
        if first is None:
            return
        before = text[: first.start()]
        if _NOT_A_PERSON.search(before) and not before.rstrip().endswith((",", ", and")):
            return
        word = first.group()
        self.two = _PAIR.match(text, first.start()) is not None
        self.stray = reading.STRAY.match(word) is not None
        self.by_pronoun = word.lower() in PRONOUN_GENDER
        if not self.two and not self.stray:
            self.gender = PRONOUN_GENDER.get(word.lower()) or reading.gender_of(word)


def disagreements(read: Sequence[Sentence]) -> list[str]:
    """Complaints about pronouns that agree with nobody, and about *it* and *them*, *is* and *are*."""
    return [*_genders(read), *_numbers(read)]


def _genders(read: Sequence[Sentence]) -> Iterator[str]:
    cast: set[str] = set()
    previous: str | None = None
    loose: set[str] = set()
    famous = False
    for sentence in read:
        text = sentence.narration
        subject = _Subject(sentence)
        genders = [gender for mention in sentence.people if (gender := reading.gender_of(mention.what))]
        earlier = frozenset(cast) or frozenset(genders[:1])
        cast.update(genders)
        famous = famous or bool(_FAMOUS.search(text))
        for match in _PRONOUN.finditer(text):
            gender = PRONOUN_GENDER[match.group().lower()]
            named = {reading.gender_of(mention.what) for mention in sentence.people if mention.start < match.start()}
            described = reading.gendered_nouns(text[: match.start()])
            known = cast | loose | described
            if gender in described or (gender == "she" and famous) or (gender == "she" and "she" in loose - cast):
                continue
            if match.start() == 0:
                right = previous == gender if previous else gender in earlier | loose
            elif subject.by_pronoun and match.start() == subject.start:
                right = previous == gender if previous else gender in known
            elif subject.two:
                right = False
            elif subject.stray:
                right = gender in named
            elif subject.gender:
                right = gender == subject.gender or gender in named
            else:
                right = gender == previous if previous else gender in known
            if not right:
                yield f"nobody here is {match.group().lower()!r}: {sentence.text}"
        loose |= reading.gendered_nouns(text)
        if sentence is read[0]:
            previous = genders[0] if genders else None
        elif sentence.within_speech or subject.two or _MENDED.search(text):
            previous = None
        elif sentence.speech and sentence.people:
            previous = genders[0] if genders else None
        elif subject.gender:
            previous = subject.gender
        elif subject.stray or sentence.people:
            previous = None


def _numbers(read: Sequence[Sentence]) -> Iterator[str]:
    last: str | None = None
    for sentence in read:
        for text, spoken in [(sentence.narration, False), *((speech, True) for speech in sentence.speech)]:
            things = reading.mentions_of_things(text)
            for match in [*_OBJECT.finditer(text), *_THERE.finditer(text)]:
                before = [thing.what for thing in things if thing.start < match.start()]
                thing = before[-1] if before else last if spoken or match.re is _THERE else None
                if thing and thing != "key" and (thing in reading.PLURAL) != (match.group(1)[:2] == "th"):
                    yield f"{match.group(1)!r} cannot be the {thing}: {sentence.text}"
            for noun, start in things:
                be = re.match(rf"\w+ (?:[a-z-]+ )??{noun} (was|were|is|are)\b", text[start:])
                if be and (noun in reading.PLURAL) != (be.group(1) in ("were", "are")):
                    yield f"{be.group()!r} does not agree: {sentence.text}"
            definite = [
                thing.what
                for thing in things
                if (not spoken or text[thing.start : thing.start + 2] in ("th", "Th"))
                and not _PRESSED.search(text[: thing.start])
            ]
            if definite and not _Subject(sentence).stray:  # *the newt gets some noodles*: nobody means those by *them*
                last = definite[-1]
