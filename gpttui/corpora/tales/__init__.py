"""The tales world: a seeded simulator of small stories (see `story`), its checker and its probes."""

from gpttui.corpora.tales.story import Story, documents, stories

__all__ = ["Story", "documents", "stories"]
