"""The view `journey`: one token's way through the model, layer by layer."""
