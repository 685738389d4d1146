"""Plain sentences: every frame can be filled, what comes out is English in form, and prompts have answers."""

import re
from itertools import islice

import pytest

from gpttui.corpora.everyday import forms, telling
from gpttui.corpora.everyday.speaker import Speaker
from gpttui.corpora.everyday.table import relations
from gpttui.corpora.tales.chooser import Chooser
from gpttui.evaluation.everyday import prompts


def test_documents_are_pure_and_seeds_differ() -> None:
    assert list(telling.documents(7, 50)) == list(islice(telling.documents(7), 50))
    assert set(telling.documents(7, 200)) != set(telling.documents(1_000_000, 200))


@pytest.mark.parametrize("name", relations())
def test_every_frame_of_a_relation_can_be_filled(name: str) -> None:
    relation = relations()[name]
    draw = Chooser(name)
    for tense in ("present", "past", "continuous", "will"):
        for frame in relation.frames:
            speaker = Speaker(draw, tense)
            speaker.about(relation)
            check(speaker.sentence(frame))


def test_documents_are_english_in_form() -> None:
    for document in telling.documents(11, 3000):
        check(document)


def check(text: str) -> None:
    assert not re.search(r"[<>{}|()#*=]|  ", text), text
    assert text[0].isupper() or text[0].isdigit(), text
    assert text[-1] in ".!?", text
    assert not re.search(r"\b[Aa] [aeio]\w+", text), text
    assert not re.search(r"\b[Aa]n [^aeiouAEIOUh\W]", text), text
    assert not re.search(r"\b(I|you|we|they) (is|has|does|was) ", text) or re.search(r"(you|we) was", text) is None, (
        text
    )
    assert not re.search(r"\b(?:he|she|it) (?:are|have|do) ", text), text


@pytest.mark.parametrize(
    ("noun", "more"),
    [("mouse", "mice"), ("piece of cake", "pieces of cake"), ("baby monkey", "baby monkeys"), ("box", "boxes")],
)
def test_plurals(noun: str, more: str) -> None:
    assert forms.plural(noun) == more


@pytest.mark.parametrize(
    ("verb", "doing"), [("get up", "getting up"), ("lie", "lying"), ("bake", "baking"), ("see", "seeing")]
)
def test_ing(verb: str, doing: str) -> None:
    assert forms.ing(verb) == doing


def test_there_are_forty_kinds_of_prompts_each_with_acceptable_words() -> None:
    asked = prompts()
    assert len(asked) >= 300
    assert len({prompt.kind for prompt in asked}) >= 40
    assert all(prompt.accepted and prompt.text == prompt.text.strip() for prompt in asked)
