"""What `gpttui bench` measures, as ratios within one run."""
