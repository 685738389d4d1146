"""Which function answers which request: a handler is registered where it stands, by `@answers(Request)`.

The server imports the modules of `gpttui.engine.handlers` and finds everything here.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from gpttui.protocol.message import Answer

Handler = Callable[[Any, Any], Answer]
"""Called with the engine and the request. Raises UserError for what cannot be done."""
AnyHandler = TypeVar("AnyHandler", bound=Handler)

HANDLERS: dict[type, Handler] = {}


def answers(request: type) -> Callable[[AnyHandler], AnyHandler]:
    """Register a handler of `request`. Raises ValueError where it has one."""

    def register(handler: AnyHandler) -> AnyHandler:
        if request in HANDLERS:
            raise ValueError(f"{request.__name__} has two handlers")
        HANDLERS[request] = handler
        return handler

    return register
