"""One short entry for each model that can be trained by name: `gpttui train --recipe NAME`.

A recipe is a `TrainConfig` and the words for the model's card. What was tried and failed is in the changelog's notes.
"""

from dataclasses import dataclass

from gpttui.errors import UserError, no_such
from gpttui.runs.config import TrainConfig

TINY_SHAKESPEARE = "tinyshakespeare.txt"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a bundled model was trained, and what its card says."""

    config: TrainConfig
    title: str
    """What it does, in two or three words that a person understands."""
    data: str
    """What it learned from, in a line."""
    summary: str
    """What it does, in a sentence."""
    prompts: tuple[str, ...] = ()
    cannot: str = ""
    """What it cannot do, in a sentence or two."""
    look_inside: str = ""
    """What to look at in it, in a few sentences."""


def _muon(**fields: object) -> TrainConfig:
    """What small models learn fastest with: the modern shape, Muon, linear to zero."""
    base: dict[str, object] = {
        "arch": "modern", "optimizer": "muon", "schedule": "linear", "lr": 3e-3, "matrix_lr": 0.02, "warmup": 40,
        "weight_decay": 0.1, "beta1": 0.9, "beta2": 0.98,
    }  # fmt: skip
    return TrainConfig(**(base | fields))  # type: ignore[arg-type]


LEVEL: dict[str, object] = {"norm_place": "both", "embed_scale": True}
"""What keeps vectors of a length: a token enters at length, and what a block adds is normed before it is added."""


def _rows(corpus: str, **fields: object) -> TrainConfig:
    return _muon(**({"data": f"corpus:{corpus}", "documents": True, "tied": False} | fields))


_PLAYS = "tiny Shakespeare: 1.1 MB of his plays (public domain)"
_SPEAKERS = ("ROMEO:", "First Citizen:\nBefore we proceed", "KING RICHARD III:\nMy lord,")


def _shakespeare() -> Recipe:
    """The bundled model, and the lowest validation loss on these characters that an hour on two cores has given us."""
    return Recipe(
        _muon(data=TINY_SHAKESPEARE, layers=5, heads=4, width=128, context=256, batch=16, steps=3200, dropout=0.05,
              eval_every=400, sample_every=1600, checkpoint_every=100),
        "Writes plays", _PLAYS, "Writes plays in Shakespeare's manner, one letter at a time.", _SPEAKERS,
        cannot=(
            "It has learned spelling, verse and the look of a play, but no meaning: its sentences sound right and say "
            "little. It never ends by itself."
        ),
        look_inside=(
            "The loss pane: nearly three quarters of the fall are over within the first hundred steps; words, names, "
            "line breaks and metre take the rest. Then the attention pane: the heads of layer 1 look at the letter "
            "under the cursor more than at any other; head 4 of layer 2 and head 2 of layer 3 read the two letters "
            "before it; head 3 of layer 3 finds the ends of earlier lines, four letters in a hundred, and gives them a "
            "sixth of its attention."
        ),
    )  # fmt: skip


RECIPES: dict[str, Recipe] = {
    "shakespeare": _shakespeare(),
    "best": _shakespeare(),
    "baseline": Recipe(
        TrainConfig(data=TINY_SHAKESPEARE, steps=2000, lr=1e-3, min_lr_fraction=0.1, sample_every=0,
                    checkpoint_every=0),
        "nanoGPT's CPU recipe", _PLAYS, "What plain AdamW reaches in 2,000 steps.", _SPEAKERS,
    ),
    "speedrun": Recipe(
        _muon(data=TINY_SHAKESPEARE, batch=16, steps=195, lr=0.02, matrix_lr=0.025, warmup=5, momentum=0.85, beta2=0.95,
              newton_schulz_steps=4, grad_clip=0.0, precision="bf16", eval_every=0, sample_every=0, checkpoint_every=0),
        "Speedrun", _PLAYS, "Validation loss 1.88 in the shortest time at nanoGPT's CPU shape.", _SPEAKERS,
    ),
    "names": Recipe(
        _muon(**LEVEL, data="corpus:names", layers=3, heads=4, width=48, context=32, batch=64, steps=2500,
              dropout=0.05, tied=True, corpus_documents=140_000, eval_every=250, sample_prompt="\n",
              sample_tokens=60),
        "Makes up first names", "first names (karpathy/makemore, MIT)",
        "Makes up first names, letter by letter, most of which it has never read.", ("\n", "mar", "x"),
        cannot="It writes nothing but first names in small letters, and cannot be asked for a language or a gender.",
        look_inside=(
            "The smallest model on the shelf. Step a name and watch the bars: after `q` comes `u` with 88 %, after "
            "`mar` thirteen tokens have more than 1 %, and after `ann` half goes to `a`, a third to `i` and `e`. The "
            "newline token is its way to say that the name is over."
        ),
    ),
    "addition": Recipe(
        _rows("addition", layers=3, heads=4, width=128, context=16, batch=128, steps=6000, lr=1e-3, answer_after="=",
              prompt_weight=0.1, corpus_documents=768_000, eval_every=500, sample_prompt="123+456="),
        "Adds numbers", "sums of numbers with up to four digits",
        "Adds two numbers of up to four digits and writes the sum digit by digit.",
        ("123+456=", "9+999=", "5824+4176="),
        cannot=(
            "It has never seen five digits, a third number, a minus or a times: behind those it writes digits all the "
            "same, and they are wrong."
        ),
        look_inside=(
            "In layer 3 two heads read the column that is to be written: head 1 spends nine tenths of its attention on "
            "the first number's digit there, head 3 as much on the second number's. Head 1 of layer 2 and head 4 of "
            "layer 3 look one column further to the right in the second number, where a carry would come from. With "
            "`9+999=` a carry runs through every column before the first digit is written."
        ),
    ),
    "sort": Recipe(
        _rows("sort", layers=2, heads=4, width=128, context=26, batch=128, steps=3000, lr=1e-3, answer_after=">",
              prompt_weight=0.1, eval_every=500, sample_prompt="hello>"),
        "Sorts letters", "random letters and the same letters in order",
        "Puts up to twelve small letters in alphabetical order.",
        ("hello>", "transformer>", "zyxwvu>"),
        cannot="Capitals and digits are unknown to it, and of more than twelve letters it loses some.",
        look_inside=(
            "Attention behind `>`: no head does the work alone. Heads 1 and 2 of layer 2 spend a third of theirs on "
            "the letter of the word that is to be written next, and some on the one after it; head 3 looks where the "
            "present letter stands. With `transformer>` watch the bars where a letter is due twice."
        ),
    ),
    "induction": Recipe(
        _rows("induction", arch="gpt2", layers=2, heads=2, width=128, mlp_width=0, context=64, batch=64, steps=1500,
              lr=4e-3, eval_every=250, checkpoint_every=50, sample_prompt="k7Qe"),
        "Copies what it saw", "random symbols, then pieces of the same",
        "Finds what came before and goes on with what followed it there: nothing else can predict these symbols.",
        ("k7QeXp2mk7Q", "abcdefghabc", "zYxW3210zY"),
        cannot="It knows no words: of symbols that have not come before it can only guess.",
        look_inside=(
            "Head 1 of layer 2 is the induction head: on a symbol that came before, nearly all its attention goes to "
            "the symbol after the earlier copy, and the bars jump to it. Layer 1 has written into each symbol which "
            "one came before it. Silence head 2 of layer 2 and nothing changes; silence any other head and the copying "
            "is gone. The loss curve falls where they found each other, between steps 250 and 450."
        ),
    ),
    "translate": Recipe(
        _rows("translate", layers=4, heads=4, width=128, context=38, batch=64, steps=3500, answer_after=" =",
              prompt_weight=0.1, corpus_documents=224_000, eval_every=500, sample_prompt="the red cat sleeps. ="),
        "English → French", "sentences of a small grammar with 330 nouns, adjectives and verbs",
        "Translates plain English sentences into French, word by word.",
        ("the red cat sleeps. =", "she did not see the old trees. =", "my sister's dog is bigger than the cat. ="),
        cannot=(
            "It has some 330 nouns, adjectives and verbs: a word that it has never read is left out or taken for "
            "another one. It cannot translate from French."
        ),
        look_inside=(
            "The heatmap behind `=`: the French words look back at the English ones, and *red cat* and *chat rouge* "
            "cross. Heads 2 and 3 of layer 3 find the word to translate; head 2 of layer 4 finds the one to agree "
            "with: the noun when an article or an adjective is due."
        ),
    ),
    "say": Recipe(
        _rows("say", layers=4, heads=4, width=128, context=54, batch=64, steps=2000, lr=1e-3, answer_after="=",
              prompt_weight=0.1, corpus_documents=40_000, eval_every=500, sample_prompt="say: seven =",
              sample_tokens=45),
        "Speaks and hears", "36 words spoken by 200 voices of a small synthesiser, 20 ms a character",
        "Speaks 36 words as sound, and writes down which of them it hears.",
        ("say: seven =", "say: hello =", "hear: ⠒⠏⠏⠏⠏⠏⣜⣜⣜⣜⣜⣜⣜⠏⡓⡓⡓⢑ =", "hear: ⠁⡁⡁⡦⣲⣲⣲⣲⣲⣲⣲⡦⡁⠜ ="),
        cannot="It knows no other words, and no voices but a small synthesiser's: a person's voice it has never heard.",
        look_inside=(
            "The token pane draws the codes as a spectrogram while they are generated, 20 ms to a column. `hear:` runs "
            "the same weights the other way round: sound in, letters out. `gpttui generate --model say --prompt 'say: "
            "seven =' --out seven.wav` makes it audible."
        ),
    ),
    "digits": Recipe(
        _rows("digits", layers=4, heads=4, width=128, context=74, batch=64, steps=2000, dropout=0.1, lr=1e-3,
              corpus_documents=60_000, eval_every=500, sample_prompt="digit 7:", sample_tokens=64),
        "Paints digits", "handwritten digits, 8x8 pixels (UCI, CC BY 4.0)",
        "Paints the digit that you ask for, pixel by pixel, as if by hand.",
        ("digit 7:", "digit 3:", "digit 0:"),
        cannot="It paints the ten digits in 8x8 pixels and nothing else, and cannot say which digit a picture shows.",
        look_inside=(
            "A picture painted pixel by pixel, row by row. Go back a few pixels and choose another grey: what follows "
            "tries to make a digit of it all the same. The pixel above the one to be painted stands seven tokens back: "
            "head 2 of layer 1 spends close to half of its attention there. Head 1 of layer 1 goes back to the number "
            "that was asked for, most of all where a line of black has left it nothing else to go by."
        ),
    ),
    "tales": Recipe(
        _muon(data="corpus:world", tokenizer="bpe:4096", corpus_documents=450_000, layers=5, heads=6, width=192,
              context=256, batch=16, steps=7119, tied=True, qk_gain=True, norm_place="both", embed_scale=True,
              from_starts=True, starts_share=0.625, eval_every=500, eval_tokens=40_000, sample_every=1000,
              sample_prompt="Once upon a time"),
        "Writes small stories", "150,000 small stories told from a simulated world, and 300,000 plain sentences and "
        "short exchanges about everyday things, all generated",
        "Tells small stories, and goes on from plain sentences about everyday things.",
        ("Once upon a time there was a",
         "The dog barks at the",
         "One Monday, Mia finds a drum in the kitchen. She puts the drum in the cupboard. Later, Mia looks in the",
         "A fashion model"),
        cannot=(
            "It has read only generated stories and sentences: what they do not tell it does not know, and it cannot "
            "hold a conversation. In one story of five it forgets something: who has the thing, or which of two "
            "friends is speaking."
        ),
        look_inside=(
            "Put a thing somewhere in the prompt: when the place is asked for, head 3 of layer 5 spends 80 % of its "
            "attention on the word for it, and head 4 of layer 3 a fifth (means over 120 held-out stories). Behind "
            "`Mr` and `Mrs`, head 3 of layer 3 and head 1 of layer 1 look at the surname that was said before, with "
            "90 % and more; where a sentence has ended and `She` or `He` is due, heads 1 and 3 of layer 3 look at the "
            "name that was said last, with close to two thirds. Compare *A machine learning model* with *A fashion "
            "model*: *model* starts as one vector, and most of the parting is done by the last two layers."
        ),
    ),
}  # fmt: skip


def recipe(name: str) -> Recipe:
    """The recipe called `name`. Raises UserError, naming those there are."""
    if name not in RECIPES:
        raise UserError(no_such("recipe", name, RECIPES))
    return RECIPES[name]


def stages(name: str) -> list[TrainConfig]:
    """What the recipe called `name` was trained with, and before it what it goes on from, first to last."""
    config = recipe(name).config
    return [*(stages(config.init) if config.init else []), config]
