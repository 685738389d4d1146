"""The view `mlp`: what an MLP does to one token, and its neurons."""
