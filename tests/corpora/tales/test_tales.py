"""The tales corpus: the pinned text, the words and shapes it holds, and the account of its entropy."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence
from itertools import islice
from time import process_time
from typing import TypeVar

from gpttui.corpora import tales
from gpttui.corpora.tales import cast, story
from gpttui.corpora.tales.chooser import Chooser
from gpttui.corpora.tales.lexicon import FOOD, PLACES, POOLS, SORTS
from gpttui.corpora.tales.phrases import SLOTS
from gpttui.corpora.tales.telling import Teller
from gpttui.corpora.tales.words import WORD

T = TypeVar("T")


def _documents(size_bytes: int, seed: int = 3) -> list[str]:
    documents: list[str] = []
    size = 0
    for document in tales.documents(seed):
        documents.append(document)
        size += len(document)
        if size >= size_bytes:
            break
    return documents


def test_first_hundred_documents_are_pinned() -> None:
    """Models are trained on exactly this text."""
    digest = hashlib.sha256("\n".join(tales.documents(0, 100)).encode()).hexdigest()
    assert digest == "6bdc4f468cce81ed11a6498cc96d58acc12fe5ac99f27972cdb8921c8ada99b8"


def test_documents_are_pure_and_seeds_differ() -> None:
    assert list(tales.documents(7, 20)) == list(islice(tales.documents(7), 20))
    assert not set(tales.documents(7, 200)) & set(tales.documents(1_000_000, 200))
    assert [told.text for told in tales.stories(7, 20)] == list(tales.documents(7, 20))


def test_two_megabytes_hold_1500_word_types_all_of_them_in_the_vocabulary() -> None:
    types = {word.removesuffix("'s") for text in _documents(2_000_000) for word in WORD.findall(text.lower())}
    assert len(types) >= 1500
    assert not types - {word.removesuffix("'s") for word in tales.vocabulary()}


def test_sentence_shapes_are_tens_of_thousands() -> None:
    """A shape is a sentence whose names, things, spots, looks, kinds, jobs and numbers are replaced by their class."""
    classes: dict[str, str] = {}
    pools = {
        "NAME": POOLS.BOY + POOLS.GIRL + POOLS.PET_HE + POOLS.PET_SHE + POOLS.SURNAME,
        "ELDER": POOLS.UNCLE + POOLS.AUNT,
        "PLACE": tuple(place.noun for place in PLACES),
        "SPOT": tuple(spot.noun for place in PLACES for spot in place.spots),
        "THING": tuple(noun for sort in (*SORTS, FOOD) for noun in sort.nouns + sort.plurals),
        "LOOK": tuple(look for sort in (*SORTS, FOOD) for look in sort.looks),
        "TRAIT": POOLS.TRAIT + POOLS.HAPPY + POOLS.SAD + POOLS.ADVERB,
        **{name: pool for name, pool in SLOTS.items() if " " not in pool[0] and not name.startswith("A_")},
    }
    for name, pool in pools.items():
        for entry in pool:
            classes.setdefault(entry, name)
    alternatives = "|".join(sorted(map(re.escape, classes), key=len, reverse=True))
    content = re.compile(rf"\b(?:{alternatives})\b")
    shapes = {
        content.sub(lambda match: classes[match.group()], sentence)
        for text in _documents(4_000_000)
        for sentence in re.split(r"(?<=[.!?]) (?=[A-Z\"])", text)
    }
    assert len(shapes) >= 30_000


def test_no_tale_is_told_twice() -> None:
    documents = list(tales.documents(11, 10_000)) + list(tales.documents(1_000_011, 5_000))
    assert len(set(documents)) == len(documents)
    assert min(told.choice_nats for told in tales.stories(11, 5_000)) > 20


def test_every_document_is_one_clean_line() -> None:
    for text in tales.documents(12, 2_000):
        assert text[-1] in '."!?', text
        assert not re.search(r"[\n{}<>\x00-\x1f]|  | ,|\b[Aa] [aeio]\w|\bthe the\b|(?<!\")[.!?] [a-z]", text), text


def test_speed() -> None:
    """Two megabytes a second is the aim; the floor here allows for a busy machine."""
    start = process_time()
    size = sum(map(len, tales.documents(13, 4_000)))
    assert size / (process_time() - start) > 1e6


def test_pools_hold_distinct_entries() -> None:
    for name, pool in SLOTS.items():
        assert len(set(pool)) == len(pool), name
    nouns = [noun for sort in (*SORTS, FOOD) for noun in sort.nouns + sort.plurals]
    assert len(set(nouns)) == len(nouns)
    for sort in (*SORTS, FOOD):
        assert len(set(sort.looks)) == len(sort.looks)
        assert len(set(sort.uses)) == len(sort.uses)
    for place in PLACES:
        assert len(set(place.spots)) == len(place.spots)
    names = POOLS.BOY + POOLS.GIRL + POOLS.PET_HE + POOLS.PET_SHE
    assert len(set(names)) == len(names)


class _Replay(Chooser):
    """Draws from given uniform numbers, and remembers how many outcomes (or what probability) each draw had."""

    __slots__ = ("kinds", "uniform")

    def __init__(self, uniform: Sequence[float]) -> None:
        super().__init__(0)
        self.uniform = uniform
        self.kinds: list[int | float] = []

    def _next(self, kind: int | float) -> float:
        self.kinds.append(kind)
        return self.uniform[len(self.kinds) - 1]

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self._next(len(options)) * len(options))]

    def pick_other(self, options: Sequence[T], taken: T) -> T:
        i = int(self._next(len(options) - 1) * (len(options) - 1))
        return options[i + (i >= options.index(taken))]

    def flip(self, p: float) -> bool:
        return self._next(p) < p


def _told(uniform: Sequence[float]) -> tuple[str, list[int | float]]:
    draw = _Replay(uniform)
    teller = Teller(draw)
    story.tell(teller)
    return " ".join(teller.lines), draw.kinds


def test_every_choice_is_visible_in_the_text() -> None:
    """Redrawing any single choice changes the text: no nats are counted for what nobody can read."""
    rng = random.Random(5)
    for _ in range(300):
        uniform = [rng.random() for _ in range(250)]
        text, kinds = _told(uniform)
        for i in rng.sample(range(len(kinds)), 12):
            kind = kinds[i]
            if kind == 1:
                continue
            redrawn = list(uniform)
            if isinstance(kind, float):
                redrawn[i] = (kind + 1) / 2 if uniform[i] < kind else kind / 2
            else:
                redrawn[i] = ((int(uniform[i] * kind) + rng.randrange(1, kind)) % kind + 0.5) / kind
            assert _told(redrawn)[0] != text, (i, kind, text)


def test_the_account_adds_up() -> None:
    """`Chooser.nats` is the sum of -ln p, and the estimate divides it by the tokens, newline included."""
    told = list(tales.stories(1_000_000, 50))
    characters = sum(len(one.text) + 1 for one in told)
    estimate = tales.entropy_estimate(1_000_000, 50, len)
    assert abs(estimate - sum(one.choice_nats for one in told) / characters) < 1e-12
    draw = Chooser("account")
    draw.pick(("a", "b", "c", "d"))
    draw.pick_other(("a", "b", "c"), "b")
    draw.flip(0.5)
    assert abs(draw.nats - 4 * 0.6931471805599453) < 1e-12


def test_pick_other_never_picks_the_taken_one_and_reaches_all_others() -> None:
    draw = Chooser("other")
    assert {draw.pick_other("abcde", "c") for _ in range(400)} == set("abde")


def test_probes_continue_the_tale_and_are_seeded() -> None:
    pronouns = tales.pronoun_probes(1_000_000, 300)
    recalls = tales.recall_probes(1_000_000, 300)
    assert len(pronouns) == len(recalls) == 300
    texts = list(tales.documents(1_000_000, 900))
    for prefix, right in [(probe.prefix, probe.right) for probe in pronouns] + [tuple(probe) for probe in recalls]:
        assert any(text.startswith(prefix + right) for text in texts)
        assert not re.search(r"[\x00-\x1f]", prefix)
    for probe in pronouns:
        assert probe.right not in probe.wrong and probe.wrong
    nouns = {spot.noun for place in PLACES for spot in place.spots}
    for recall in recalls:
        assert recall.right.strip() in nouns
        assert recall.right.strip() in recall.prefix, "what is to be recalled was said before"


def test_cast_never_gives_two_people_one_name() -> None:
    teller = Teller(Chooser("cast"))
    for _ in range(2_000):
        x, _ = cast.hero(teller)
        y, _ = cast.friend(teller, x)
        assert x.name != y.name
