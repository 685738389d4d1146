"""Every key of the training screen in one table, as `gpttui.tui.keys` has the playground's."""

from textual.binding import Binding

from gpttui.tui.keys import MORE, PANES, STEP, key

RUN = Binding.Group("step", compact=True)
RATE = Binding.Group("sampling", compact=True)
AFTER = Binding.Group("text")

TRAINING = [
    key("space", "one_batch", "one batch", "Train one batch, then hold", STEP, id="train_one_batch"),
    key("p", "pause", "pause", "Hold the training, or let it go on", RUN, id="train_pause"),
    key("x", "stop", "stop", "Save and stop; it can be resumed", RUN, id="train_stop"),
    key("r", "resume", "resume", "Go on with a run that has stopped", RUN, id="train_resume"),
    key("R", "rewind", "rewind", "Back to the very same initial weights", RUN, show=False, id="train_rewind"),
    key("left_square_bracket", "learning_rate(False)", "rate", "A lower learning rate", RATE, id="train_lr_down"),
    key("right_square_bracket", "learning_rate(True)", "rate", "A higher learning rate", RATE, id="train_lr_up"),
    key("comma", "scrub(-1)", "scrub", "Go through the checkpoints, in the playground", AFTER, id="train_scrub_back"),
    key("full_stop", "scrub(1)", "scrub", "Go through the checkpoints, in the playground", AFTER, id="train_scrub_on"),
    key("u", "until", "until", "Another end: steps, minutes, a loss", RUN, id="train_until"),
    key("k", "keep", "keep model", "Put the model into your own models", AFTER, id="train_keep"),
    key("c", "compare", "before/after", "What the training changed", AFTER, id="train_compare"),
    key(
        "v",
        "overlay",
        "other runs",
        "Lay other runs over the curve: choose them from a list",
        AFTER,
        id="train_overlay",
    ),
    key("n", "new", "new run", "The form for another run", AFTER, id="train_new"),
    key("tab", "turn(1)", "pane", "Go to the next pane", PANES, id="train_next_pane"),
    key("shift+tab", "turn(-1)", "pane before", "Go to the pane before", PANES, show=False, id="train_previous_pane"),
    *(
        key(str(n), f"pane({n})", f"pane {n}", f"Go to pane {n}: {title}", PANES, show=False, id=f"train_pane_{n}")
        for n, title in enumerate(("loss", "run", "samples", "prompt", "batch"), 1)
    ),
    key("z", "zoom", "zoom", "Give the pane the whole screen, or give it back", PANES, id="train_zoom"),
    key("o", "export", "export", "Write what this pane shows: SVG, CSV or npz", MORE, show=False, id="train_export"),
    key("s", "screenshot", "screenshot", "Save the screen as a picture (SVG)", MORE, show=False, id="train_screenshot"),
    key(
        "e,escape",
        "dismiss(None)",
        "playground",
        "Back to the playground; the training goes on",
        MORE,
        id="train_leave",
    ),
    key("question_mark", "help", "help", "What the focused pane shows, and every key", MORE, id="train_help"),
    key("q", "app.quit", "quit", "Leave; a run in training is saved first", MORE, id="train_quit"),
]
