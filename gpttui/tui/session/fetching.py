"""A known good model on its way onto the shelf: size, licence and source first, then how far it is. No widget here.

What blocks, asking and fetching, runs in threads; everything else on the loop of the screen that asks.
"""

import asyncio
import threading
from collections.abc import Iterator

from gpttui.errors import UserError
from gpttui.storage import getting
from gpttui.storage.getting import Known, Offer

LEFT = "was left; what has arrived is kept, and Enter goes on with it"


class Fetching:
    """One model of the table. `offer` is what was found of it; nothing is fetched that was not offered before."""

    def __init__(self, name: str) -> None:
        self.name, self.known = name, getting.known(name)
        self.offer: Offer | None = None
        self.done, self.total = 0, 0
        self.running = False
        self.problem = ""
        """Why the source before this one, or the last try, gave nothing."""
        self._problems: list[str] = []
        self._offers: Iterator[Offer] = iter(())
        self._left = threading.Event()

    async def ask(self) -> None:
        """Finds the first source that answers. Raises UserError, one line, where none does."""
        self._problems = []
        self._offers = iter(getting.offers(self.name, self._problems))
        await self._next()

    async def _next(self) -> None:
        self.offer = await asyncio.to_thread(next, self._offers, None)
        if self.offer is None:
            raise UserError(f"{self.name} could not be fetched: {'; '.join(self._problems)}")

    async def fetch(self) -> bool:
        """Fetches what was offered: whether it lies on the shelf now.

        Where its source fails, the next one becomes the offer, and `problem` says why. Raises UserError where there is
        no other, or where it was left.
        """
        offer = self.offer
        if offer is None:
            raise UserError(f"ask first what {self.name} is")
        self._left.clear()
        self.running, self.problem, self.done, self.total = True, "", 0, offer.size_bytes
        try:
            await asyncio.to_thread(offer.fetch, self._progress)
        except UserError as error:
            if self._left.is_set():
                raise
            self.problem = str(error)
            self._problems.append(self.problem)
            await self._next()
            return False
        finally:
            self.running = False
        return True

    def leave(self) -> None:
        """The download ends at its next bytes."""
        self._left.set()

    def _progress(self, done: int, total: int) -> None:
        if self._left.is_set():
            raise UserError(f"fetching {self.name} {LEFT}")
        self.done, self.total = done, total


def not_here() -> dict[str, Known]:
    """The models of the table that are not on the shelf yet, by name."""
    return {name: known for name, known in getting.table().items() if not getting.is_here(name)}
