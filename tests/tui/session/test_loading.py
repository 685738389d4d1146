"""A model on its way: how far it is stands in the header and in the panes, and escape leaves it."""

import asyncio

from gpttui.engine.client import EngineFailure
from gpttui.protocol import play as protocol
from gpttui.protocol.message import Answer, Request
from gpttui.tui.session.opening import Opening
from tests.fake_engine import FakeEngine
from tests.tui.pilot import Playground, playground


class SlowEngine(FakeEngine):
    """Tells of the tensors of a model called `large`, and opens it when it is left, never before."""

    def __init__(self) -> None:
        super().__init__()
        self.left = asyncio.Event()

    async def request(self, request: Request) -> Answer:
        if isinstance(request, protocol.StopOpening):
            self.left.set()
            return protocol.Left()
        if isinstance(request, protocol.OpenModel) and request.path == "large":
            self.on_event(protocol.Loading("tokenizer", 0, 0))
            self.on_event(protocol.Loading("tensors", 12, 272))
            await self.left.wait()
            raise EngineFailure("not opened: you left it · the model before is still here")
        return await super().request(request)


async def asked_for_a_large_one(page: Playground) -> None:
    await page.opened()
    page.play.link.open("large")
    await page.until(lambda: "tensors 12 of 272" in page.text)


async def test_how_far_a_model_is_stands_in_the_header_and_escape_leaves_it() -> None:
    async with playground(engine=SlowEngine()) as page:
        await asked_for_a_large_one(page)
        before = page.play.link.card
        await page.pilot.press("escape")
        await page.until(lambda: "the model before is still here" in page.text)
        assert page.play.link.card is before and "tensors 12" not in page.text
        asked = len(page.engine.requests)
        await page.press("space")
        assert len(page.engine.requests) == asked + 1, "the model before goes on"


async def test_escape_is_offered_only_while_a_model_is_on_its_way() -> None:
    async with playground(engine=SlowEngine()) as page:
        await page.opened()
        assert page.play.check_action("leave_opening", ()) is False
        await page.until(lambda: "cancel opening" not in page.text)
        await asked_for_a_large_one(page)
        await page.until(lambda: "cancel opening" in page.text)
        assert page.play.check_action("leave_opening", ()) is True
        await page.pilot.press("escape")
        await page.until(lambda: not page.play.link.busy and "cancel opening" not in page.text)


async def test_panes_that_have_nothing_to_show_yet_say_how_far_it_is() -> None:
    async with playground(wait=False, opening=Opening("large"), engine=SlowEngine()) as page:
        await page.until(lambda: "opening the model: tensors 12 of 272 · escape cancels" in page.text)
        await page.pilot.press("escape")
        await page.until(lambda: "no model is open: press m" in page.text)
