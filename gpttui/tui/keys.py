"""Every key of the playground in one table: id (for remapping in the settings), key, action, tooltip, group.

Panes add their own while they have the focus (arrows or hjkl move a pane's cursor there). Keys that tmux and screen are
commonly bound to (ctrl+b, ctrl+a, ctrl+s) stay free.
"""

from collections.abc import Sequence

from textual.binding import Binding

STEP = Binding.Group("step", compact=True)
TEXT = Binding.Group("text")
PANES = Binding.Group("panes", compact=True)
HEAD = Binding.Group("head, layer", compact=True)
SAMPLING = Binding.Group("sampling", compact=True)
MORE = Binding.Group("more")


def key(
    keys: str, action: str, says: str, tooltip: str, group: Binding.Group, *, show: bool = True, id: str = ""
) -> Binding:
    """A binding whose id is its action's name unless it is given."""
    name = id or action.split(".")[-1].split("(")[0]
    return Binding(keys, action, says, show=show, tooltip=tooltip, id=name, group=group)


def of_panes(before: str, numbered: str, titles: Sequence[str], *, show: bool = True) -> list[Binding]:
    """Of a deck of panes: ids begin with `before`, those of single panes with `numbered`."""
    each = [f"Go to pane {n}{': ' if title else ''}{title}" for n, title in enumerate(titles, 1)]
    return [
        key("tab", "turn(1)", "pane", "Go to the next pane", PANES, show=show, id=f"{before}next_pane"),
        key("shift+tab", "turn(-1)", "pane before", "Go to the pane before", PANES, show=False,
            id=f"{before}previous_pane"),
        *(
            key(str(n), f"pane({n})", f"pane {n}", tooltip, PANES, show=False, id=f"{numbered}{n}")
            for n, tooltip in enumerate(each, 1)
        ),
        key("z", "zoom", "zoom", "Give the pane the whole screen, or give it back", PANES, show=show,
            id=f"{before}zoom"),
    ]  # fmt: skip


def of_all(before: str = "") -> list[Binding]:
    """Of every screen of panes."""
    export, screenshot = "Write what this pane shows: SVG, CSV or npz", "Save the screen as a picture (SVG)"
    return [
        key("o", "export", "export", export, MORE, show=False, id=f"{before}export"),
        key("s", "screenshot", "screenshot", screenshot, MORE, show=False, id=f"{before}screenshot"),
        key("question_mark", "help", "help", "What the focused pane shows, and every key", MORE, id=f"{before}help"),
    ]


OF_A_SESSION = [
    key("U", "undo_change", "undo change", "Take the last change of the model back", HEAD, show=False),
    key("B", "bookmark", "bookmark", "Mark this place, or take the mark away; b lists them", TEXT, show=False),
    key("R", "recipe", "command", "The one shell command that shows this again", MORE, show=False),
    key("ctrl+o", "save_session", "save", "Save a session that brings this very screen back", MORE, show=False),
]
"""Of every screen on a session: the playground and the inside views."""

PLAYGROUND = [
    key("space,right,l", "step", "next token", "Draw one token and append it", STEP),
    key("left,h", "back", "back", "Take the last token back; stepping again draws the same one", STEP),
    key("home", "to_prompt", "to prompt", "Take back all tokens behind the prompt", STEP, show=False),
    key("g", "run", "run", "Draw token after token until a key is pressed", STEP),
    key("f", "view('walk')", "part by part", "Forward, part by part: what happens to this token", STEP, id="walk"),
    key("escape", "leave_opening", "cancel opening", "Leave a model that is being opened; keep the one before", MORE),
    key("slash", "edit_prompt", "prompt", "Write another prompt; its tokens show while you type", TEXT),
    key(
        "I",
        "start_token",
        "start token",
        "Put the token that the model's texts begin with before the prompt, or leave it out",
        TEXT,
        show=False,
    ),
    key("comma,ctrl+left", "look(-1)", "earlier token", "Look at the token before; all panes show that moment", TEXT,
        show=False, id="earlier"),
    key("full_stop,ctrl+right", "look(1)", "later token", "Look at the token after", TEXT, show=False, id="later"),
    key("y", "copy_all", "copy", "Copy the whole text to the clipboard", TEXT, show=False, id="copy"),
    key("c", "colour", "colour", "Colour tokens by turns, by surprisal, or by entropy", TEXT),
    *of_panes("", "pane_", ("tokens", "next token", "attention", "training loss")),
    key("left_square_bracket", "head(-1)", "head", "The head before", HEAD, id="head_before"),
    key("right_square_bracket", "head(1)", "head", "The next head", HEAD, id="head_next"),
    key("left_curly_bracket", "layer(-1)", "layer", "The layer below", HEAD, id="layer_below"),
    key("right_curly_bracket", "layer(1)", "layer", "The layer above", HEAD, id="layer_above"),
    key("x", "silence_head", "silence head", "Put this head's output out; again: as before", HEAD, show=False),
    key("X", "silence_mlp", "silence MLP", "Put this layer's MLP out; again: as before", HEAD, show=False),
    key("t", "stage('temperature', False)", "temp", "Lower temperature: favours likely tokens", SAMPLING, id="cooler"),
    key("T", "stage('temperature', True)", "temp", "Higher temperature: more surprising", SAMPLING, id="warmer"),
    key("k,minus", "stage('top_k', False)", "top-k", "Keep fewer candidates", SAMPLING, id="top_k_fewer"),
    key("K,plus", "stage('top_k', True)", "top-k", "Keep more candidates", SAMPLING, id="top_k_more"),
    key("p", "stage('top_p', False)", "top-p", "Keep less of the probability", SAMPLING, id="top_p_less"),
    key("P", "stage('top_p', True)", "top-p", "Keep more of the probability", SAMPLING, id="top_p_more"),
    key("S", "sampling", "sampling", "Penalties, logit bias, min-p: every stage", SAMPLING, show=False),
    key("r", "new_seed", "new seed", "Another seed: other draws from the same distributions", SAMPLING, show=False),
    key("e", "train", "train", "Train a model, or see the one in training", MORE),
    key("less_than_sign", "scrub(-1)", "checkpoint", "The checkpoint before, of a model trained here", TEXT, show=False,
        id="checkpoint_before"),
    key("greater_than_sign", "scrub(1)", "checkpoint", "The next checkpoint", TEXT, show=False, id="checkpoint_next"),
    key("m", "models", "models", "Open another model", MORE),
    *of_all(),
    key("q", "app.quit", "quit", "Leave", MORE, id="quit"),
    *OF_A_SESSION,
]  # fmt: skip
