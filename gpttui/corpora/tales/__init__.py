"""The tales world: a seeded simulator of small stories (see `story`), its checker and its probes."""

from gpttui.corpora.tales.probes import entropy_estimate, pronoun_probes, recall_probes
from gpttui.corpora.tales.story import Story, documents, stories
from gpttui.corpora.tales.words import vocabulary

__all__ = ["Story", "documents", "entropy_estimate", "pronoun_probes", "recall_probes", "stories", "vocabulary"]
