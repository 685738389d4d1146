"""Every key of the training screen in one table, as `gpttui.tui.keys` has the playground's."""

from textual.binding import Binding

from gpttui.tui.keys import MORE, STEP, key, of_all, of_panes

RUN = Binding.Group("step", compact=True)
RATE = Binding.Group("sampling", compact=True)
AFTER = Binding.Group("text")

TRAINING = [
    key("space", "one_batch", "one batch", "Train one batch, then hold", STEP, id="train_one_batch"),
    key("p", "pause", "pause", "Hold the training, or let it go on", RUN, id="train_pause"),
    key("x", "stop", "stop", "Save and stop; it can be resumed", RUN, id="train_stop"),
    key("r", "resume", "resume", "Go on with a run that has stopped", RUN, id="train_resume"),
    key("f", "step_apart", "part by part", "The next step, part by part: its gradients, and what they change", RUN,
        id="train_step_apart"),
    key("R", "rewind", "rewind", "Back to the very same initial weights", RUN, show=False, id="train_rewind"),
    key("left_square_bracket", "learning_rate(False)", "rate", "A lower learning rate", RATE, id="train_lr_down"),
    key("right_square_bracket", "learning_rate(True)", "rate", "A higher learning rate", RATE, id="train_lr_up"),
    key("comma", "scrub(-1)", "scrub", "Go through the checkpoints, in the playground", AFTER, id="train_scrub_back"),
    key("full_stop", "scrub(1)", "scrub", "Go through the checkpoints, in the playground", AFTER, id="train_scrub_on"),
    key("u", "until", "until", "Another end: steps, minutes, a loss", RUN, id="train_until"),
    key("k", "keep", "keep model", "Put the model into your own models", AFTER, id="train_keep"),
    key("c", "compare", "before/after", "What the training changed", AFTER, id="train_compare"),
    key("v", "overlay", "other runs", "Lay other runs over the curve: choose them from a list", AFTER,
        id="train_overlay"),
    key("n", "new", "new run", "The form for another run", AFTER, id="train_new"),
    *of_panes("train_", "train_pane_", ("loss", "run", "samples", "prompt", "batch")),
    *of_all("train_"),
    key("e,escape", "dismiss(None)", "playground", "Back to the playground; the training goes on", MORE,
        id="train_leave"),
    key("q", "app.quit", "quit", "Leave; a run in training is saved first", MORE, id="train_quit"),
]  # fmt: skip
