"""`/` of the playground: a plain prompt or a conversation, what has been said of it so far, and the editor for either.

For: `PlayScreen`, which has one. Not for: what a model reads of it (the engine, by the model's chat template).
"""

from typing import TYPE_CHECKING

from gpttui.protocol.play import DraftChat, Drafted
from gpttui.records import ChatMessage
from gpttui.tui.renderables.labels import quoted_label
from gpttui.tui.session.link import SessionLink
from gpttui.tui.widgets.hint_bar import HintBar
from gpttui.tui.widgets.tokens import TokensPane
from gpttui.tui.widgets.writing import Writing

if TYPE_CHECKING:
    from gpttui.tui.widgets.chat_editor import ChatEditor

ANSWER = "g: the model answers, to the end of its turn. space: one token."


class Chat:
    """`/` on a conversation goes on with it: the answer that stands in the text is one of its messages by then."""

    def __init__(self, link: SessionLink, tokens: TokensPane, writing: Writing, hints: HintBar) -> None:
        self.link, self.tokens, self.writing, self.hints = link, tokens, writing, hints
        self._editor: ChatEditor | None = None
        self._before: tuple[ChatMessage, ...] = ()

    @property
    def writes(self) -> bool:
        """Whether a conversation is being written now."""
        return self._editor is not None and self.writing.is_on(self._editor)

    @property
    def ended(self) -> str:
        """What to say of an answer that has come to its end."""
        snapshot = self.link.snapshot
        last = "" if snapshot is None else quoted_label(self.tokens.tokenizer, int(snapshot.ids[-1]))
        return f"The model has ended its turn with {last}. / goes on with the conversation."

    async def edit(self) -> None:
        """Open the editor for what is open: a conversation goes on, a plain prompt is changed."""
        await (self._write() if self.link.conversation is None else self._converse())

    async def turn(self) -> None:
        """From a prompt to a conversation or back, while it is being written."""
        if self.link.no_chat:
            self.hints.say(f"No chat: {self.link.no_chat}.", "info")
        else:
            await (self._write() if self.writes else self._converse())

    async def _write(self) -> None:
        from gpttui.tui.widgets.prompt_editor import PromptEditor

        text = self.link.prompt if self.link.conversation is None else ""
        editor = PromptEditor(text, other_mode="" if self.link.no_chat else "chat")
        await self.writing.begin(text, self.link.set_prompt, editor=editor)
        self.draft(text)

    async def _converse(self) -> None:
        """On the next message, or on the one that has no answer yet."""
        from gpttui.tui.widgets.chat_editor import ChatEditor

        system, messages = self._so_far()
        unanswered = messages[-1].content if messages and messages[-1].role == "user" else ""
        self._before = messages[: len(messages) - bool(unanswered)]
        self._editor = ChatEditor(system, unanswered, len(self._before))
        await self.writing.begin(unanswered, self._say, editor=self._editor)
        self.draft(unanswered)

    def _so_far(self) -> tuple[str, tuple[ChatMessage, ...]]:
        """What the system says; and the others in turns, with the answer that stands in the text."""
        link, tokenizer = self.link, self.tokens.tokenizer
        conversation, snapshot = link.conversation, link.snapshot
        if conversation is None or snapshot is None or tokenizer is None:
            return "", ()
        first, messages = conversation.messages[0], conversation.messages
        system, messages = (first.content, messages[1:]) if first.role == "system" else ("", messages)
        answer = snapshot.ids[snapshot.n_prompt :].tolist()
        if answer and answer[-1] in conversation.ends:
            answer.pop()
        return system, (*messages, ChatMessage("assistant", tokenizer.decode(answer))) if answer else messages

    def _said(self, text: str) -> tuple[ChatMessage, ...]:
        system = self._editor.system if self._editor is not None else ""
        first = (ChatMessage("system", system),) if system.strip() else ()
        return (*first, *self._before, ChatMessage("user", text))

    def draft(self, text: str) -> None:
        """Show what the model would read of `text`, which is being written."""
        editor, self.tokens.draft = self._editor, text
        if editor is None or not self.writes:
            self.tokens.drafted = None
            return

        def take(drafted: Drafted) -> None:
            if self.writing.is_on(editor):
                self.tokens.drafted = drafted

        def refuse(line: str) -> None:
            if self.writing.is_on(editor):
                self.hints.say(line, "warning")

        self.link.ask("chat.draft", lambda: DraftChat(self._said(text)), take, refuse)

    def _say(self, text: str) -> None:
        self.link.converse(self._said(text))
