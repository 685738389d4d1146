"""Training runs on disk: config, events, checkpoints and curves, for whoever trains and whoever looks. No torch."""
