"""Lessons: chapters of the tour, each a TOML file that a teacher can write too."""
