"""What the screen and the inside views cost: the real program in a terminal, timed from outside."""
