"""The view `layers`: what each layer would predict: logit lens, ranks, logit attribution."""

from gpttui.tui.session.remembered import TokenId, remember

KEPT = remember("layers", tuple[str, tuple[TokenId, ...], bool], of_model=False)
"""The model's path, tokens pinned by hand, whether the next one is pinned too."""
