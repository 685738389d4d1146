"""French as the translation corpus writes it: spelling rules, conjugation, and sentences checked by hand."""

from __future__ import annotations

import re

import pytest

from gpttui.corpora import translation
from gpttui.corpora.french import agree, conjugation, elides, plural_of, sentence
from gpttui.corpora.splits import HELD_OUT_FROM_SEED

CHECKED = """
the witch followed a new bus. = la sorcière a suivi un nouvel autobus.
we paint an old dirty plane. = nous peignons un vieil avion sale.
this writer will open the boxes. = cet écrivain ouvrira les boîtes.
he does not build his bus. = il ne construit pas son autobus.
some old lions do not eat. = de vieux lions ne mangent pas.
they often drink some water. = ils boivent souvent de l'eau.
a boy must carry many knives. = un garçon doit porter beaucoup de couteaux.
a king showed many French buses. = un roi a montré beaucoup d'autobus français.
she thanked our mother's brothers. = elle a remercié les frères de notre mère.
I thought of the old sheep. = je pensais au vieux mouton.
I came from the new dark restaurant. = je suis venu du nouveau restaurant sombre.
does she play the heavy piano? = est-ce qu'elle joue du piano lourd ?
you need his grandfather's scarves. = vous avez besoin des écharpes de son grand-père.
the animal is hungry. = l'animal a faim.
every queen left. = chaque reine est partie.
she rested behind this round cloud. = elle s'est reposée derrière ce nuage rond.
some spiders saw them. = des araignées les ont vus.
you cannot play her violin. = vous ne pouvez pas jouer de son violon.
they must not come from the caves. = ils ne doivent pas venir des grottes.
I want to wait for the cars. = je veux attendre les voitures.
her poem is better than their newspaper. = son poème est meilleur que leur journal.
why are we never careful? = pourquoi est-ce que nous ne sommes jamais prudents ?
the box will not be small. = la boîte ne sera pas petite.
she thinks that she takes a bag. = elle pense qu'elle prend un sac.
the grandmother dances because she cried. = la grand-mère danse parce qu'elle a pleuré.
why is a small sheep fast? = pourquoi est-ce qu'un petit mouton est rapide ?
he believes that you often walk. = il croit que vous marchez souvent.
the grandmothers are too brave. = les grands-mères sont trop courageuses.
a brother does not understand their newspapers. = un frère ne comprend pas leurs journaux.
the bears will never be blue. = les ours ne seront jamais bleus.
this owl is black now. = ce hibou est noir maintenant.
we sing near the old expensive bed. = nous chantons près du vieux lit cher.
they will love her. = ils l'aimeront.
they were not late yesterday. = ils n'étaient pas en retard hier.
I am not wrong. = je n'ai pas tort.
my witch reads a poem. = ma sorcière lit un poème.
I chose a mirror yesterday. = j'ai choisi un miroir hier.
you will buy my hot soup. = vous achèterez ma soupe chaude.
"""


@pytest.fixture(scope="module")
def sample() -> list[str]:
    return list(translation.documents(0, 16000))


def test_sentences_checked_by_hand_are_translated_as_checked(sample: list[str]) -> None:
    french = dict(document.split(" = ") for document in sample)
    pairs = [line.split(" = ") for line in CHECKED.strip().splitlines()]
    assert len(pairs) >= 38
    assert {english: french.get(english) for english, _ in pairs} == dict(pairs)


def test_no_elision_or_contraction_is_forgotten(sample: list[str]) -> None:
    wrong = re.compile(r"\b(de les?|à les?)\b|\b(ne|le|la|de|que|je|me|se|ce|ma|sa) ([aeiouàâéèêîôœ]|h(?!ibou))|  ")
    assert not [document for document in sample if wrong.search(document.split(" = ")[1])]


def test_every_english_sentence_has_one_translation(sample: list[str]) -> None:
    known: dict[str, str] = {}
    for document in [*sample, *translation.documents(HELD_OUT_FROM_SEED, 4000)]:
        english, french = document.split(" = ")
        assert known.setdefault(english, french) == french


def test_tokens_give_the_text_back_and_lines_are_short(sample: list[str]) -> None:
    assert all("".join(translation.words(document)) == document for document in sample)
    assert max(len(translation.words(document)) for document in sample) <= translation.MAX_TOKENS
    assert translation.words("the king's cat. = l'a n'est est-ce qu'il ?")[:3] == ["the", " king", "'s"]
    assert translation.words(" = l'a n'est-ce qu'il ?") == [" =", " l'", "a", " n'", "est-ce", " qu'", "il", " ?"]


def test_english_agrees(sample: list[str]) -> None:
    english = "\n".join(document.split(" = ")[0] for document in sample)
    assert not re.search(r"^(he|she) (are|were|have|do|sleep|go|eat)\b", english, re.MULTILINE)
    assert not re.search(r"^(they|we|you) (is|was|has|does|goes|sleeps|eats)\b", english, re.MULTILINE)
    assert not re.search(r"\ba [aeiouEI]|\ban [^aeiouEI]", english)


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("je aime le éléphant", "j'aime l'éléphant"),
        ("il ne a pas vu le oiseau", "il n'a pas vu l'oiseau"),
        ("près de le pont", "près du pont"),
        ("près de la école", "près de l'école"),
        ("près de le arbre", "près de l'arbre"),
        ("à les enfants", "aux enfants"),
        ("de les amis", "des amis"),
        ("le hibou", "le hibou"),
        ("il ne y a pas de eau", "il n'y a pas d'eau"),
        ("est-ce que elle se endort", "est-ce qu'elle s'endort"),
    ],
)
def test_elision_and_contraction(words: str, written: str) -> None:
    assert sentence(words.split()) == written


@pytest.mark.parametrize(
    ("infinitive", "present", "future", "participle"),
    [
        ("parler", "parle parle parlons parlez parlent", "parlera", "parlé"),
        ("manger", "mange mange mangeons mangez mangent", "mangera", "mangé"),
        ("acheter", "achète achète achetons achetez achètent", "achètera", "acheté"),
        ("appeler", "appelle appelle appelons appelez appellent", "appellera", "appelé"),
        ("jeter", "jette jette jetons jetez jettent", "jettera", "jeté"),
        ("préférer", "préfère préfère préférons préférez préfèrent", "préférera", "préféré"),
        ("nettoyer", "nettoie nettoie nettoyons nettoyez nettoient", "nettoiera", "nettoyé"),
        ("envoyer", "envoie envoie envoyons envoyez envoient", "enverra", "envoyé"),
        ("finir", "finis finit finissons finissez finissent", "finira", "fini"),
        ("attendre", "attends attend attendons attendez attendent", "attendra", "attendu"),
        ("aller", "vais va allons allez vont", "ira", "allé"),
        ("voir", "vois voit voyons voyez voient", "verra", "vu"),
    ],
)
def test_conjugation(infinitive: str, present: str, future: str, participle: str) -> None:
    forms = conjugation(infinitive)
    assert " ".join(forms.present) == present
    assert forms.future[1] == future and forms.participle == participle


def test_the_imparfait_is_built_on_nous() -> None:
    assert conjugation("être").imparfait == ("étais", "était", "étions", "étiez", "étaient")
    assert conjugation("manger").imparfait == ("mangeais", "mangeait", "mangions", "mangiez", "mangeaient")
    assert conjugation("connaître").imparfait[4] == "connaissaient"


def test_an_unknown_conjugation_is_refused() -> None:
    with pytest.raises(ValueError, match="neither"):
        conjugation("xyz")


def test_agreement_and_plurals() -> None:
    assert (
        agree("pris", feminine=False, plural=True) == "pris" and agree("pris", feminine=True, plural=True) == "prises"
    )
    assert agree("allé", feminine=True, plural=True) == "allées"
    plurals = {"chat": "chats", "cheval": "chevaux", "gâteau": "gâteaux", "souris": "souris", "bleu": "bleus"}
    assert {word: plural_of(word) for word in plurals} == plurals
    assert elides("homme") and elides("œuf") and not elides("hibou") and not elides("chat")
