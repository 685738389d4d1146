"""The checker: silent on the simulator's own tales, loud on planted contradictions."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import pytest

from gpttui.corpora.tales import reading, stories
from gpttui.corpora.tales.checker import contradictions
from gpttui.corpora.tales.lexicon import PLACES
from gpttui.corpora.tales.probes import pronoun_probes, recall_probes
from gpttui.corpora.tales.world import Event

START = "Mia is a brave girl who lives in a city of bells. Her best friend is a shy fox called Rusty. "


def not_told(text: str, log: Sequence[Event]) -> list[str]:
    """Events of the simulator's log that the text does not tell, or tells otherwise."""
    pieces = reading.sentences(text)
    found = []
    for event in log:
        told = " ".join(pieces[event.sentence : event.sentence + 2])
        thing = event.what and not re.search(
            rf"\b(?:{re.escape(event.what)}|it|they|them|pieces)\b", told, re.IGNORECASE
        )
        where = event.verb in {"put", "find", "hide", "lose", "take", "blow"} and event.where not in re.sub(
            r"\bthe ", "", told
        )
        if not told or thing or where:
            found.append(f"{event.who} {event.verb} {event.what} {event.where}: {told or 'not told'}")
    return found


def test_the_simulators_own_tales_have_no_contradiction() -> None:
    for told in stories(1_000_100, 400):
        assert contradictions(told.text) == [], told.text
        assert not_told(told.text, told.log) == [], told.text


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param(
            "Mia puts the kite under the bed. Rusty looks under the bed and finds the kite.",
            "Mia puts the kite under the bed. Rusty looks in the wardrobe and finds the kite.",
            id="found where it was not put",
        ),
        pytest.param(
            'Mia hides the red kite in the shed. "The kite is in the shed," says Mia.',
            'Mia hides the red kite in the shed. "The kite is behind the hedge," says Mia.',
            id="said to be where it was not put",
        ),
        pytest.param(
            "Mia puts the kite under the bed. Rusty looks in the wardrobe, but the kite is not there.",
            "Mia puts the kite under the bed. Rusty looks under the bed, but the kite is not there.",
            id="not found where it was put",
        ),
        pytest.param(
            "Mia hides the drum in the hay and the kite in the manger. Rusty finds the drum in the hay.",
            "Mia hides the drum in the hay and the kite in the manger. Rusty finds the drum in the manger.",
            id="two things exchanged",
        ),
        pytest.param(
            "The key is under the stage. Mia finds the key under the stage.",
            "The key is under the stage. Mia finds the key in the tent.",
            id="the key lies elsewhere",
        ),
        pytest.param(
            "Rusty hides under the slide. Mia looks under the slide and finds Rusty.",
            "Rusty hides under the slide. Mia looks behind the fountain and finds Rusty.",
            id="somebody found where he does not hide",
        ),
        pytest.param(
            "Rusty puts the cake on the shelf. Mia eats the cake. Mia is still hungry.",
            "Rusty puts the cake on the shelf. Mia eats the cake. Rusty puts the cake in the drawer.",
            id="eaten, and there again",
        ),
        pytest.param(
            "Mia drops the vase, and now it is broken. Rusty mends the vase.",
            "Mia has a vase. Rusty mends the vase.",
            id="mended, but never broken",
        ),
        pytest.param(
            "Mia buys a drum from a baker. Mia gives the drum to Rusty.",
            "Mia buys a drum from a baker. Rusty gives the drum to Mia.",
            id="given away by somebody who does not have it",
        ),
        pytest.param(
            'Mia finds a drum. "The drum is mine," says Mia.',
            'Mia finds a drum. "The drum is mine," says Rusty.',
            id="owned by somebody else",
        ),
        pytest.param(
            "While Mia is asleep, Rusty takes the drum. He hides the drum under the bed.",
            "While Mia is asleep, Rusty takes the drum. Mia hides the drum under the bed.",
            id="asleep, and acting",
        ),
        pytest.param(
            'While Rusty is out, Mia takes the drum. "Good," says Mia.',
            'While Rusty is out, Mia takes the drum. "Good," says Rusty.',
            id="away, and speaking",
        ),
        pytest.param('"Thank you, Rusty," says Mia.', '"Thank you, Mia," says Mia.', id="speaking to oneself"),
        pytest.param("Rusty goes to the park.", "Bruno goes to the park.", id="a third one whom nobody knows"),
        pytest.param("Mia smiles. She puts on her hat.", "Mia smiles. He puts on his hat.", id="gender, next sentence"),
        pytest.param(
            "Mia takes a kite out of her bag.", "Mia takes a kite out of his bag.", id="gender, same sentence"
        ),
        pytest.param(
            "Mia and Rusty are so glad that they sing.",
            "Mia and Rusty are so glad that she sings.",
            id="number, people",
        ),
        pytest.param("The newt hides under its own tail.", "The newt hides under her own tail.", id="gender, animal"),
        pytest.param("The boots are gone.", "The boots is gone.", id="number, verb"),
        pytest.param(
            "Mia sees some marbles and takes them.", "Mia sees some marbles and takes it.", id="number, thing"
        ),
        pytest.param(
            "And Mia lives happily in a city of bells.", "And Mia lives happily in a yellow cottage.", id="another home"
        ),
        pytest.param(
            "One sunny Monday, Mia sings. Mia never forgets that Monday.",
            "One sunny Monday, Mia sings. Mia never forgets that Friday.",
            id="another day",
        ),
        pytest.param(
            "Mia feels hot and wants to swim, and so she walks to the bank. Mia puts her feet into the stream.",
            "Mia feels hot and wants to swim, and so she walks to the bank. "
            "The clerk behind the counter counts the coins.",
            id="a river with a clerk",
        ),
    ],
)
def test_planted_contradictions_are_found(right: str, wrong: str) -> None:
    assert contradictions(START + right) == []
    assert contradictions(START + wrong) != []


def test_explanations_that_mix_things_up_are_found() -> None:
    right = "A clock tells the time. It ticks day and night. At noon both hands point up."
    assert contradictions(right) == []
    assert contradictions(right.replace("It ticks day and night", "It keeps no picture and it must rise")) == []
    assert contradictions("A clock tells the time. Hens lay eggs in the straw.") != []
    assert contradictions("A crane is a tall bird with long legs. It has a long arm of steel.") != []


def test_malformed_text_is_read_without_an_error() -> None:
    for text in ("", " ", '"', "the the", 'Mia "says," under', "He.", '"A. B," says Mia. "', "Zzz qqq. Xx!"):
        assert isinstance(contradictions(text), list)
    words = " ".join(told.text for told in stories(1_000_200, 20)).split()
    rng = random.Random(0)
    for _ in range(50):
        assert isinstance(contradictions(" ".join(rng.choices(words, k=60))), list)


def test_nine_of_ten_exchanged_spots_and_pronouns_are_found() -> None:
    """Each planted in an otherwise sound tale, at a random one of the places where the tale settles the word."""
    tales_by_start = [told.text for told in stories(1_000_300, 400)]

    def share_found(edits: list[tuple[str, str, str]]) -> float:
        found = 0
        for prefix, right, wrong in edits:
            whole = next(text for text in tales_by_start if text.startswith(prefix + right))
            found += contradictions(prefix + wrong + whole[len(prefix + right) :]) != []
        return found / len(edits)

    rng = random.Random(3)
    nouns = sorted({spot.noun for place in PLACES for spot in place.spots})
    spots = [
        (probe.prefix, probe.right, " " + rng.choice([noun for noun in nouns if noun != probe.right.strip()]))
        for probe in recall_probes(1_000_300, 200)
    ]
    pronouns = [(probe.prefix, probe.right, probe.wrong[0]) for probe in pronoun_probes(1_000_300, 300)]
    assert share_found(spots) >= 0.9
    assert share_found(pronouns) >= 0.9


def test_the_log_is_compared_with_the_text() -> None:
    planted = caught = 0
    for told in stories(1_000_400, 200):
        for event in told.log:
            if event.verb in ("put", "find") and event.where in told.text.replace(" the ", " "):
                spot = event.where.split(" ", 1)[1]
                planted += 1
                caught += not_told(told.text.replace(spot, "volcano"), told.log) != []
                break
    assert planted > 50
    assert caught == planted
