"""The session link on a fake engine: coalescing, a held key, death and restoration."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from textual.message import Message

from gpttui.errors import UserError
from gpttui.protocol import play as protocol
from gpttui.protocol.message import Look
from gpttui.records import Sampling
from gpttui.tui.session.link import SessionLink
from gpttui.tui.session.messages import EngineLost, ModelOpened, Refused, SnapshotArrived
from tests.fake_engine import FakeEngine


class Harness:
    def __init__(self) -> None:
        self.engine = FakeEngine()
        self.messages: list[Message] = []
        self.link = SessionLink(self.engine, lambda: Look(top_k=5), self.messages.append)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                await asyncio.sleep(0)

    async def idle(self) -> None:
        await self.until(lambda: not self.link.busy)

    def of(self, kind: type[Message]) -> list[Message]:
        return [message for message in self.messages if isinstance(message, kind)]

    @property
    def ids(self) -> list[int]:
        assert self.link.snapshot is not None
        return [int(i) for i in self.link.snapshot.ids]


@pytest.fixture
async def opened() -> AsyncIterator[Harness]:
    harness = Harness()
    serving = asyncio.create_task(harness.link.serve())
    harness.link.open("somewhere")
    await harness.until(lambda: bool(harness.of(ModelOpened)))
    yield harness
    serving.cancel()


async def test_a_step_appends_one_token(opened: Harness) -> None:
    before = opened.ids
    opened.link.step()
    await opened.idle()
    assert opened.ids[:-1] == before
    assert opened.of(SnapshotArrived)[-1].kind == "step"  # type: ignore[attr-defined]


async def test_back_and_forward_lands_on_the_same_token(opened: Harness) -> None:
    opened.link.step()
    await opened.idle()
    after = opened.ids
    for wish in (opened.link.back, opened.link.step):
        wish()
        await opened.idle()
    assert opened.ids == after


async def test_a_held_key_leaves_nothing_running_but_the_step_in_flight(opened: Harness) -> None:
    opened.engine.gate = gate = asyncio.Event()
    for _ in range(60):
        opened.link.step()
        await asyncio.sleep(0)
    gate.set()
    await opened.idle()
    assert opened.engine.asked(protocol.Step) == 1


async def test_settings_are_coalesced_and_the_last_one_holds(opened: Harness) -> None:
    opened.engine.gate = gate = asyncio.Event()
    for tenths in range(1, 10):
        opened.link.set_sampling(Sampling(temperature=tenths / 10))
        await asyncio.sleep(0)
    gate.set()
    await opened.idle()
    assert opened.engine.asked(protocol.SetSampling) == 2
    assert opened.engine.session.sampling.temperature == 0.9


async def test_a_new_prompt_drops_steps_that_wait(opened: Harness) -> None:
    opened.engine.gate = gate = asyncio.Event()
    opened.link.show()
    await asyncio.sleep(0)
    opened.link.step()
    opened.link.set_prompt("The king")
    gate.set()
    await opened.idle()
    assert opened.engine.asked(protocol.Step) == 0
    assert opened.link.prompt == "The king"


async def test_running_goes_on_until_told_to_stop(opened: Harness) -> None:
    opened.link.run()
    await opened.until(lambda: opened.engine.asked(protocol.Step) >= 10)
    opened.link.stop()
    await opened.idle()
    steps = opened.engine.asked(protocol.Step)
    await asyncio.sleep(0)
    assert opened.engine.asked(protocol.Step) == steps


async def test_a_refusal_is_one_line_and_changes_nothing(opened: Harness) -> None:
    before = opened.link.snapshot
    opened.link.back()
    await opened.idle()
    assert "prompt" in opened.of(Refused)[-1].line  # type: ignore[attr-defined]
    assert opened.link.snapshot is before


async def test_when_the_engine_dies_text_choices_and_settings_come_back(opened: Harness) -> None:
    opened.link.set_sampling(Sampling(0.5, 10, 0.9))
    opened.link.set_seed(77)
    opened.link.step()
    await opened.idle()
    opened.link.choose(len(opened.ids) - 1, 42)
    await opened.idle()
    opened.link.step()
    await opened.idle()
    before, n_prompt = opened.ids, opened.link.snapshot.n_prompt  # type: ignore[union-attr]
    opened.engine.die()
    await opened.until(lambda: len(opened.of(ModelOpened)) == 2)
    assert opened.of(ModelOpened)[-1].restored  # type: ignore[attr-defined]
    assert opened.ids == before
    restored = next(request for request in opened.engine.requests if isinstance(request, protocol.Restore))
    assert restored.appended == before[n_prompt:]
    assert restored.picked == [False, True, False]
    assert (restored.sampling, restored.seed) == (Sampling(0.5, 10, 0.9), 77)


async def test_an_engine_that_never_worked_is_not_started_again_by_itself() -> None:
    harness = Harness()

    async def no_program() -> None:
        raise UserError("the engine cannot be started: no-such-program: No such file or directory")

    harness.engine.connect = no_program  # type: ignore[method-assign]
    serving = asyncio.create_task(harness.link.serve())
    harness.link.open("somewhere")
    await harness.until(lambda: len(harness.of(EngineLost)) >= 1)
    assert not harness.of(EngineLost)[0].restarting  # type: ignore[attr-defined]
    serving.cancel()


async def test_an_answer_goes_to_the_one_who_asked_for_it(opened: Harness) -> None:
    taken: list[str] = []
    opened.engine.gate = gate = asyncio.Event()
    for name in ("first", "second"):
        opened.link.ask("view", lambda: protocol.Show(), lambda _, name=name: taken.append(name), taken.append)  # type: ignore[misc]
        await opened.until(lambda: opened.engine.asked(protocol.Show) > 0)  # the first is on its way
    gate.set()
    await opened.idle()
    assert taken == ["first", "second"]


async def test_a_refusal_goes_to_the_one_who_asked(opened: Harness) -> None:
    heard: list[str] = []
    opened.engine.gate = gate = asyncio.Event()
    opened.link.ask("view", protocol.Back, heard.append, lambda line: heard.append(f"first: {line}"))
    await opened.until(lambda: opened.engine.asked(protocol.Back) > 0)
    opened.link.ask("view", protocol.Show, lambda _: heard.append("second"), heard.append)
    gate.set()
    await opened.idle()
    assert heard[0].startswith("first: ") and heard[1:] == ["second"]


async def test_an_older_prompt_is_not_taken_for_the_newer_one(opened: Harness) -> None:
    opened.engine.gate = gate = asyncio.Event()
    prompts: list[str] = []
    opened.link.watchers.append(lambda _: prompts.append(opened.link.prompt))
    opened.link.set_prompt("The king")
    await opened.until(lambda: opened.engine.asked(protocol.SetPrompt) == 1)
    opened.link.set_prompt("To be")
    gate.set()
    await opened.idle()
    assert prompts == ["The king", "To be"]


async def test_an_older_choice_marks_its_own_token(opened: Harness) -> None:
    for _ in range(3):
        opened.link.step()
        await opened.idle()
    n_prompt, last = opened.link.snapshot.n_prompt, len(opened.ids) - 1  # type: ignore[union-attr]
    opened.engine.gate = gate = asyncio.Event()
    opened.link.choose(last, 42)
    await opened.until(lambda: opened.engine.asked(protocol.Choose) == 1)
    opened.link.choose(n_prompt, 43)
    gate.set()
    await opened.idle()
    assert opened.link.picked == [False, True]
    assert opened.ids[-1] == 43


async def test_a_model_that_was_asked_for_before_another_keeps_its_own_prompt(opened: Harness) -> None:
    opened.engine.gate = gate = asyncio.Event()
    prompts: list[str] = []
    opened.link.watchers.append(lambda _: prompts.append(opened.link.prompt))
    opened.link.open("one", "The king")
    await opened.until(lambda: opened.engine.asked(protocol.OpenModel) == 2)
    opened.link.open("two", "To be")
    gate.set()
    await opened.idle()
    assert prompts == ["The king", "To be"]


async def test_a_question_that_the_engine_died_over_is_asked_once_more(opened: Harness) -> None:
    taken: list[object] = []
    opened.engine.gate = gate = asyncio.Event()
    opened.link.ask("view", protocol.Show, taken.append, lambda _: None)
    await opened.until(lambda: opened.engine.asked(protocol.Show) == 1)
    opened.engine.die()
    gate.set()
    await opened.until(lambda: len(opened.of(ModelOpened)) == 2)
    await opened.idle()
    assert len(taken) == 1 and opened.engine.asked(protocol.Show) == 2
