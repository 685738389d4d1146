"""The shelf of generated corpora: what each one is, and how to open it.

For: `gpttui corpus`, `gpttui data`, recipes and tests, which name a corpus. Not for: files and downloads.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module

from gpttui.errors import UserError, no_such

PREFIX = "corpus:"
"""Before a corpus's name, where a text might stand."""

WORDS_AMONG = 40_000
"""Documents that a corpus's own words stand among, once."""

Documents = Callable[..., Iterator[str]]
"""`documents(seed, n=None)`: seeds below 1,000,000 draw training data, others held-out data."""


@dataclass(frozen=True, slots=True)
class CorpusSpec:
    """What can be said about a corpus without generating any of it."""

    name: str
    title: str
    description: str
    module: str
    """Imported when the corpus is opened."""
    tokenizer: str
    """What suits it: "char", "word", "symbols" (one token a character, none of them prose), or "bpe:N"."""
    answer_after: str = ""
    """The marker before the answer that a document gives; empty where documents pose no problem."""
    prompt: str = ""
    """What samples go on from."""
    row_tokens: int = 0
    """Tokens of the longest document, where each is a problem and a row by itself; 0 where they make up a stream."""
    token_view: str = "text"
    """How a screen draws its tokens: text, digits (pixels) or speech (sounds)."""
    ends: str = "\n"
    """What a document ends with, so that a model which learned from it can say that it is done; empty: none."""
    needs: str = ""
    """The optional package that it comes with."""
    reads: str = ""
    """The public text that it is made of."""
    found_here: bool = False
    """Made of what this machine has anyway."""
    words: str = ""
    """The module's function that gives lines of words which the vocabulary is to hold too; empty: none."""


_SPECS = (
    CorpusSpec("tales", "Tales", "Small stories told from a simulated world of people, animals and things.",
               "gpttui.corpora.tales", "bpe:2048", prompt="Once upon a time"),
    CorpusSpec("everyday", "Everyday", "Plain sentences and short exchanges about everyday things.",
               "gpttui.corpora.everyday.telling", "bpe:2048", prompt="The dog"),
    CorpusSpec("world", "World", "Tales and everyday sentences, and a vocabulary for common English.",
               "gpttui.corpora.world", "bpe:4096", prompt="Once upon a time", words="words"),
    CorpusSpec("names", "Names", "First names from a public list, each on one side of the split.",
               "gpttui.corpora.names", "char", reads="names"),
    CorpusSpec("addition", "Addition", "Sums of numbers with up to four digits: 123+456=579.",
               "gpttui.corpora.arithmetic", "char", "=", "123+456=", 16),
    CorpusSpec("sort", "Sorting", "Letters and the same letters in order: hello>ehllo.",
               "gpttui.corpora.sorting", "char", ">", "hello>", 26),
    CorpusSpec("induction", "Induction", "Random symbols, then pieces of the same; only copying predicts them.",
               "gpttui.corpora.induction", "char", "", "k7Qe", 64),
    CorpusSpec("translate", "Translation", "English sentences and their French, from a small grammar.",
               "gpttui.corpora.translation", "word", " =", "the red cat sleeps. =", 38),
    CorpusSpec("digits", "Digits", "Handwritten digits of 8x8 pixels, one character a grey level.",
               "gpttui.corpora.digits", "symbols", "", "digit 7:", 74, "digits", needs="sklearn"),
    CorpusSpec("say", "Speech", "Spoken words as sound codes: text to sound and sound to text.",
               "gpttui.corpora.speech", "symbols", "=", "say: seven =", 54, "speech"),
    CorpusSpec("python-docs", "Python documentation", "The topics that this Python's help() shows.",
               "gpttui.corpora.python_docs", "bpe:4096", ends="", found_here=True),
    CorpusSpec("python-code", "Python library", "The sources of this Python's standard library.",
               "gpttui.corpora.python_code", "bpe:4096", ends="", found_here=True),
)  # fmt: skip

CORPORA: dict[str, CorpusSpec] = {spec.name: spec for spec in _SPECS}


def spec_of(data: str) -> CorpusSpec | None:
    """The corpus that a run's `data` names, `corpus:NAME`; None where it is a text."""
    return CORPORA.get(data.removeprefix(PREFIX)) if data.startswith(PREFIX) else None


def corpus_spec(name: str) -> CorpusSpec:
    """The entry called `name`. Raises UserError, naming those there are, if there is none."""
    if name not in CORPORA:
        raise UserError(no_such("corpus", name, CORPORA))
    return CORPORA[name]


def open_corpus(name: str) -> Documents:
    """The `documents` function of a corpus. Raises UserError if no corpus has this name."""
    documents: Documents = import_module(corpus_spec(name).module).documents
    return documents


def vocabulary_words(name: str) -> Iterator[str]:
    """Lines of words to learn a vocabulary from, beside a corpus's documents: once in every `WORDS_AMONG` of them."""
    spec = corpus_spec(name)
    return iter(()) if not spec.words else getattr(import_module(spec.module), spec.words)()
