"""Every word that a pane uses is explained, briefly, with numbers that exist."""

import pytest

from gpttui.lessons import glossary, words


def test_terms_are_short_ordered_and_name_numbers_that_exist() -> None:
    names = [term.name for term in glossary.TERMS]
    assert names == sorted(names, key=str.casefold) and len(set(names)) == len(names) >= 50
    for term in glossary.TERMS:
        assert len(f"{term.says} {term.example}".split()) <= 40, term.name
        words.check(term.example)
        assert not words.named(term.says), "what needs a number is an example"


@pytest.mark.parametrize(
    "name",
    "token,logit,softmax,entropy,surprisal,query,key,value,head,neuron,temperature,loss,gradient,validation,"
    "residual stream,layer norm,learning rate".split(","),
)
def test_a_search_finds_a_term_first(name: str) -> None:
    assert glossary.found(name)[0].name.startswith(name)


def test_a_letter_finds_what_begins_so_and_an_example_needs_its_numbers() -> None:
    assert {term.name[0].lower() for term in glossary.found("q")} == {"q"}
    (term,) = [term for term in glossary.TERMS if term.name == "vocabulary"]
    assert term.text({}) == term.says and term.text({"vocab": "3,072"}).endswith("Here 3,072.")
    assert not glossary.found("zxqv")
