"""The world that is told in stories and in plain sentences, and the words that its vocabulary is to hold."""

from itertools import islice

from gpttui.corpora import world
from gpttui.corpora.everyday import telling
from gpttui.corpora.registry import vocabulary_words
from gpttui.corpora.tales import story
from gpttui.tokenizers import train_bpe


def test_one_document_in_three_is_a_tale_and_none_is_twice() -> None:
    told, said = story.documents(4), telling.documents(4)
    first = list(world.documents(4, 30))
    assert first[::3] == list(islice(told, 10))
    assert [document for n, document in enumerate(first) if n % 3] == list(islice(said, 20))


def test_its_words_become_tokens() -> None:
    words = set(" ".join(vocabulary_words("world")).split())
    tokenizer = train_bpe([*world.documents(1, 2000), *vocabulary_words("world")], 4096)
    crumbs = [word for word in words if 4 <= len(word) <= 7 and len(tokenizer.encode(f" {word}")) > 2]
    assert len(words) > 2000 and len(crumbs) < len(words) / 50, crumbs
    assert len(tokenizer.encode(" fashion")) == len(tokenizer.encode(" attention")) == 1


def test_most_corpora_want_no_words() -> None:
    assert not list(vocabulary_words("tales"))
