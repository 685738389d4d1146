"""A terminal playground that shows how a GPT works."""

__version__ = "0.1.0"
