"""Training runs on disk: their config, events, checkpoints and curves, for whoever trains and whoever looks. No torch."""
