"""Plain sentences and short exchanges about everyday things."""
