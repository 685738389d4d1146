"""The view `vectors`: tokens as vectors: neighbours, a map, arithmetic."""

from typing import Annotated

import msgspec

from gpttui.tui.session.remembered import TokenId, remember

KEPT = remember("vectors", Annotated[tuple[TokenId, ...], msgspec.Meta(min_length=3, max_length=4)], of_model=True)
"""The sum: a, b, c and, where one is expected, d."""
