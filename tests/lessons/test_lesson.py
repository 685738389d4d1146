"""Lessons as files: what is wrong in one is one line that names card and field, whatever stands in it."""

import random
import re
import string
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from gpttui.errors import UserError
from gpttui.lessons import deeds, lesson, words
from tests.conftest import REPOSITORY

GOOD = """
title = "Mine"
[[card]]
say = "Look at the bars."
point = "next"
[[card]]
say = "Press space."
do = "tokens_drawn >= 1"
keys = ["space"]
why = "It drew {drawn}."
[[card]]
say = "Which one?"
options = ["this", "that"]
answer = 2
why = "That."
"""


def test_a_lesson_is_read() -> None:
    read = lesson.read(GOOD, "mine.toml")
    assert [card.kind for card in read.card] == ["say", "do", "guess"]
    assert read.deeds[1] == (deeds.Clause("tokens_drawn", ">=", 1.0),)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "Mine"', "", "lacks"),
        ('title = "Mine"', "title = 3", "field title"),
        ('say = "Press space."', 'sya = "Press space."', "card 2"),
        ('say = "Press space."', "say = 3", "card 2, field say"),
        ('say = "Press space."', f'say = "{"word " * 46}"', "46 words"),
        ("tokens_drawn >= 1", "tokens_drwan >= 1", "tokens_drawn"),
        ("tokens_drawn >= 1", "tokens_drawn", "cannot be compared so"),
        ("tokens_drawn >= 1", "import os", "is no deed"),
        ('why = "It drew {drawn}."', "", "field why"),
        ("{drawn}", "{drwan}", "drawn"),
        ("answer = 2", "answer = 3", "field answer"),
        ('["this", "that"]', '["this"]', "2 to 4 options"),
        ('point = "next"', 'point = "\\u001b[31m"', "card 1, field point"),
        ('point = "next"', 'point = "next, *"', "card 1, field point"),
        ('title = "Mine"', 'title = "\\u001b[31m"', "only plain text"),
        ('title = "Mine"', 'title = "Mine"\nmodel = "../../etc"', "field model"),
        ('point = "next"', 'model = "/etc/passwd"', "card 1, field model"),
        ('point = "next"', 'train = "~/diary.txt"', "card 1, field train"),
        ('["this", "that"]', '["this", "\\u001b]52;c;AAAA"]', "card 3, field options"),
        ('keys = ["space"]', 'keys = ["\\u0000"]', "card 2, field keys"),
        ("[[card]]", "[card]", "TOML"),
        ("answer = 2", 'answer = 2\ndo = "picked"', "not both"),
        ("answer = 2", 'answer = 2\nrun = "rm -rf"', "run"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_it(old: str, new: str, said: str) -> None:
    with pytest.raises(UserError) as wrong:
        lesson.read(GOOD.replace(old, new, 1), "mine.toml")
    line = str(wrong.value)
    assert line.startswith("mine.toml") and "\n" not in line and len(line) < 400
    assert said in line, line


def test_two_hundred_damaged_lessons_are_read_or_refused_in_one_line(tmp_path: Path) -> None:
    texts = [
        entry.read_text(encoding="utf-8") for entry in files("gpttui.lessons").iterdir() if entry.name.endswith(".toml")
    ]
    draw = random.Random(7)
    hostile = [
        "\x1b]52;c;AAAA\x07",
        "[[[[",
        "../../etc/passwd",
        "[bold]",
        "\u202e",
        "{top_p",
        "9" * 400,
        "true",
        "'''",
        "\x00",
        "é" * 99,
    ]
    for case in range(200):
        text = draw.choice(texts)
        for _ in range(draw.randint(1, 6)):
            at = draw.randrange(len(text))
            way = draw.randrange(4)
            cut = draw.randint(1, 80)
            new = draw.choice([*hostile, *string.printable]) if way else ""
            text = text[:at] + new + text[at + (cut if way != 2 else 0) :]
        file = tmp_path / f"{case}.toml"
        file.write_text(text, encoding="utf-8")
        try:
            lesson.open_lesson(file)
        except UserError as error:
            assert "\n" not in str(error) and "\x1b" not in str(error), str(error)


def test_files_that_are_no_lessons_are_one_line(tmp_path: Path) -> None:
    big, binary, folder = tmp_path / "big.toml", tmp_path / "binary.toml", tmp_path / "folder.toml"
    big.write_text("# " + "x" * 1_000_000, encoding="utf-8")
    binary.write_bytes(bytes(range(256)))
    folder.mkdir()
    circle, device, empty, deep = (tmp_path / f"{name}.toml" for name in ("circle", "device", "empty", "deep"))
    circle.symlink_to(circle)
    device.symlink_to("/dev/zero")
    empty.touch()
    deep.write_text(f"title = {'[' * 50_000}", encoding="utf-8")
    for file in (big, binary, folder, circle, device, empty, deep, tmp_path / "missing.toml"):
        with pytest.raises(UserError) as wrong:
            lesson.open_lesson(file)
        assert "\n" not in str(wrong.value) and len(str(wrong.value)) < 300 and file.name in str(wrong.value)


def test_markup_in_a_lesson_is_text() -> None:
    read = lesson.read(GOOD.replace("Look at the bars.", "[bold red]Look[/] [@click=app.quit]here[/]"), "mine.toml")
    assert read.card[0].say == "[bold red]Look[/] [@click=app.quit]here[/]"


def test_every_fact_has_an_example_that_is_a_deed_and_can_be_met() -> None:
    for fact in deeds.FACTS.values():
        (clause,) = deeds.parse(fact.example)
        assert clause.fact == fact.name
        step = {"<": -0.5, ">": 0.5}.get(clause.operator, 0.0)
        value = clause.value + step if isinstance(clause.value, float) else clause.value
        assert deeds.done((clause,), {fact.name: value}), fact.example
        assert not deeds.done((clause,), {})


def test_a_text_in_a_deed_may_hold_the_word_and() -> None:
    assert deeds.parse('prompt contains "salt and pepper" and tokens > 3') == (
        deeds.Clause("prompt", "contains", "salt and pepper"),
        deeds.Clause("tokens", ">", 3.0),
    )


def test_the_tour_has_ten_chapters_of_at_most_seven_cards() -> None:
    chapters = lesson.chapters()
    assert [chapter.number for chapter in chapters] == list(range(1, 11))
    assert all(len(chapter.lesson.card) <= 7 for chapter in chapters)
    assert all(chapter.lesson.card[-1].recap and chapter.lesson.about for chapter in chapters)
    assert lesson.chapter("4").id == lesson.chapter("attention").id == "attention"
    with pytest.raises(UserError, match="did you mean 'attention'"):
        lesson.chapter("atention")


def test_numbers_are_filled_in_and_unknown_ones_say_so() -> None:
    assert words.filled("p = {top_p}, not {second_p} {key}", {"top_p": "4%"}) == "p = 4%, not … …"
    assert tomllib.loads(GOOD)["title"] == "Mine"


def test_the_page_for_teachers_is_a_lesson_and_names_every_field_fact_and_number() -> None:
    page = (REPOSITORY / "docs" / "LESSONS.md").read_text(encoding="utf-8")
    written = lesson.read(page.split("```toml\n")[1].split("```")[0], "days.toml")
    assert [card.kind for card in written.card] == ["say", "do", "guess", "guess", "recap"]
    for fact in deeds.FACTS.values():
        assert f"| `{fact.name}` | {fact.says} | `{fact.example}` |" in page
    for name, says in words.NUMBERS.items():
        assert f"| `{{{name}}}` | {says} |" in page
    for field in (*lesson.Card.__struct_fields__, *lesson.Lesson.__struct_fields__):
        assert f"`{field}`" in page or field == "card", field


def test_no_card_of_the_tour_says_where_a_pane_lies() -> None:
    for chapter in lesson.chapters():
        for card in chapter.lesson.card:
            for text in (card.say, card.hint, card.why):
                assert not re.search(r"\b(on|at) the (left|right)\b|\bbeside it\b|\bunderneath\b", text), text
