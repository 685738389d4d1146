"""Conversations with a chat model: its template, rendered where it can do no harm, and the tokens that come of it."""
