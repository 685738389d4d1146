"""The screen's side of the engine: one session and one training run, what is known of them, what is saved of them."""
