"""The view `compare`: one word in two texts."""
