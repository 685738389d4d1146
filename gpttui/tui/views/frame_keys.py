"""The keys of every inside view."""

from textual.binding import BindingType

from gpttui.tui.keys import HEAD, MORE, OF_A_SESSION, STEP, TEXT, key, of_all, of_panes

FRAME: list[BindingType] = [
    key("left,h", "look(-1)", "token", "Select the token before; every view shows that one", TEXT, id="inside_earlier"),
    key("right,l", "look(1)", "token", "Select the token after", TEXT, id="inside_later"),
    key("comma", "look(-1)", "token", "Select the token before", TEXT, show=False, id="inside_earlier_too"),
    key("full_stop", "look(1)", "token", "Select the token after", TEXT, show=False, id="inside_later_too"),
    key("home", "look_at(0)", "first token", "Select the first token", TEXT, show=False, id="inside_first"),
    key("end", "look_at(-1)", "last token", "Follow the newest token", TEXT, show=False, id="inside_last"),
    key("left_curly_bracket", "layer(-1)", "layer", "The layer below", HEAD, id="inside_layer_below"),
    key("right_curly_bracket", "layer(1)", "layer", "The layer above", HEAD, id="inside_layer_above"),
    key("left_square_bracket", "head(-1)", "head", "The head before", HEAD, id="inside_head_before"),
    key("right_square_bracket", "head(1)", "head", "The next head", HEAD, id="inside_head_next"),
    key("x", "silence_head", "silence", "Put the selected head out of order; again: as before", HEAD, id="inside_x"),
    key("X", "silence_mlp", "silence MLP", "Put the layer's MLP out of order; again: as before", HEAD, show=False,
        id="inside_X"),
    key("less_than_sign", "scrub(-1)", "checkpoint", "The checkpoint before, of a model trained here", TEXT, show=False,
        id="inside_checkpoint_before"),
    key("greater_than_sign", "scrub(1)", "checkpoint", "The next checkpoint", TEXT, show=False,
        id="inside_checkpoint_next"),
    key("space", "step", "next token", "Draw one token and append it", STEP, show=False, id="inside_step"),
    key("backspace", "back", "back", "Take the last token back", STEP, show=False, id="inside_back"),
    key("slash", "leave('slash')", "prompt", "Write another prompt, in the playground", TEXT, show=False,
        id="inside_prompt"),
    *of_panes("inside_", "room_", ("",) * 4, show=False),
    *of_all("inside_"),
    key("escape", "leave", "back", "Back to the playground", MORE, id="inside_leave"),
    key("q", "app.quit", "quit", "Leave gpttui", MORE, show=False, id="inside_quit"),
    *OF_A_SESSION,
]  # fmt: skip
