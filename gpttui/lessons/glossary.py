"""The words that the panes use, each in at most 40 words, with a number of the open model as the example."""

from collections.abc import Mapping
from dataclasses import dataclass

from gpttui.lessons import words


@dataclass(frozen=True, slots=True)
class Term:
    """One word; in `example` numbers stand in braces, as in a card (`gpttui.lessons.words`)."""

    name: str
    says: str
    example: str = ""

    def text(self, numbers: Mapping[str, str]) -> str:
        """What it means, and the example where all its numbers are known now."""
        known = self.example and all(name in numbers for name in words.named(self.example))
        return f"{self.says} {words.filled(self.example, numbers)}" if known else self.says

    def matches(self, searched: str) -> bool:
        """Whether a search finds it: a single letter those that begin so, more what stands anywhere in it."""
        searched = searched.strip().casefold()
        if len(searched) < 2:
            return self.name.casefold().startswith(searched)
        return searched in self.name.casefold() or searched in self.says.casefold()


def found(searched: str) -> list[Term]:
    """Terms that a search finds, those first whose name it begins."""
    searched = searched.strip()
    return sorted(
        (term for term in TERMS if term.matches(searched)),
        key=lambda term: not term.name.casefold().startswith(searched.casefold()),
    )


TERMS = (
    Term(
        "ablation",
        "Switching off a head, an MLP or a neuron to see what changes. What does not change without it was "
        "not needed here.",
    ),
    Term(
        "activation",
        "A number that is computed while the model reads a text, as opposed to a parameter, which stays the "
        "same. Also the function between an MLP's two linear maps.",
    ),
    Term(
        "attention",
        "How a token's vector takes up something from earlier tokens: each gets a weight, the weights of one "
        "token sum to 1, and the weighted values are added.",
        "This model has {n_head} heads in each of {n_layer} layers.",
    ),
    Term(
        "attention sink",
        "An early token, often the first, that a head looks at when it has nothing to find. A large weight "
        "there means little.",
    ),
    Term(
        "backpropagation",
        "How the gradient of every parameter is computed in one go: the chain rule, applied from the loss "
        "back through the layers to the first.",
    ),
    Term(
        "batch",
        "The texts that one training step reads together. Their losses are averaged, and so are their gradients.",
    ),
    Term(
        "bit, nat",
        "Units of information. A fair coin has 1 bit. With the natural logarithm the unit is a nat: 1 nat is "
        "1.44 bits. Losses are told in nats, surprisal in bits.",
    ),
    Term(
        "causal mask",
        "No token may look at a later one: those weights are zero. That is why the upper right of the "
        "attention square is empty.",
    ),
    Term(
        "checkpoint",
        "The parameters of a model in training, saved at one step. < and > go through those of a model trained here.",
    ),
    Term(
        "context",
        "The text that the model sees, up to a largest number of tokens. What is further back does not exist for it.",
        "Now it sees {tokens} tokens.",
    ),
    Term(
        "cosine",
        "How nearly two vectors point in the same direction: 1 the same, 0 unrelated, -1 opposite. Length "
        "plays no part.",
    ),
    Term(
        "embedding",
        "The vector of a token as it is looked up in a table, before any layer has changed it.",
        "Here a table of {vocab} rows of {d_model} numbers.",
    ),
    Term(
        "end token",
        "A token that says that a text, or an answer, is over. A model that was trained with one stops there.",
    ),
    Term(
        "entropy",
        "How uncertain the model is about the next token, in bits: 0 certain, and one more for each doubling "
        "of equally probable choices.",
        "Now {entropy} bits: about as uncertain as {choices} equally probable tokens.",
    ),
    Term(
        "epoch",
        "One pass over the whole training text.",
    ),
    Term(
        "fine-tuning",
        "Training a trained model further on another text. It learns the new one, and forgets some of the old.",
    ),
    Term(
        "gradient",
        "For each parameter, how much the loss would change with a little more of it. A step of training goes "
        "against it.",
    ),
    Term(
        "head",
        "One of several attentions of a layer, side by side, each with queries, keys and values of its own.",
        "This model has {n_head} in each layer.",
    ),
    Term(
        "induction head",
        "A head that looks for the same token earlier in the text, and at what followed it there: so a model "
        "copies what it has seen once.",
    ),
    Term(
        "key",
        "In attention, the vector by which a token is found. It is compared with the query of each later token.",
    ),
    Term(
        "KV cache",
        "Keys and values of the text so far, kept so that each further token costs one pass over one position.",
    ),
    Term(
        "layer",
        "Attention and an MLP, one after the other; also called a block. Each adds something to every token's vector.",
        "This model has {n_layer}.",
    ),
    Term(
        "layer norm",
        "Scales a vector to a standard length before a part reads it, so that large and small ones are "
        "comparable. RMSNorm is a simpler form.",
    ),
    Term(
        "learning rate",
        "How far one training step moves the parameters along the slope. Too small learns slowly, too large "
        "jumps over the valley.",
    ),
    Term(
        "logit",
        "A token's score before softmax: the last vector compared with the token's vector. Only differences "
        "between logits count.",
        "One for each of {vocab} tokens.",
    ),
    Term(
        "logit lens",
        "What the model would say if it stopped after a layer: the final norm and the comparison with all "
        "tokens, applied early.",
    ),
    Term(
        "loss",
        "How wrong the model's predictions are: the surprisal of the true next token, averaged over a text, "
        "in nats. Lower is better.",
        "A blind guess among {vocab} tokens costs {ln_v}.",
    ),
    Term(
        "MLP",
        "Multilayer perceptron: two linear maps with an activation between them, applied to every position "
        "alike. Tokens do not look at each other in it.",
    ),
    Term(
        "neuron",
        "One of the numbers inside an MLP: it asks one question of a vector, and when the answer is yes adds "
        "a direction of its own.",
    ),
    Term(
        "optimizer",
        "The rule by which gradients move parameters: plain descent, Adam (steps scaled for each parameter) "
        "or Muon (for whole matrices).",
    ),
    Term(
        "overfitting",
        "Memorising: the loss on the training text goes on falling, that on held-out text rises.",
    ),
    Term(
        "parameter",
        "A number of the model that training sets, and that stays the same while it writes; also called a weight.",
        "This model has {params}.",
    ),
    Term(
        "patching",
        "Putting a vector from one text into the computation of another, to see what it carries.",
    ),
    Term(
        "perplexity",
        "The exponential of the loss: as many equally probable tokens would be as uncertain.",
    ),
    Term(
        "position",
        "A token's place in the text, counted from 1. Attention knows it by RoPE, which turns queries and "
        "keys, or by learned vectors.",
    ),
    Term(
        "probability",
        "How often a token follows here in texts like those the model has read; not how true it is.",
        "Most probable now: {top}, {top_p}.",
    ),
    Term(
        "query",
        "In attention, the vector with which a token looks: it is compared with the keys of the tokens before it.",
    ),
    Term(
        "residual stream",
        "The vector of each token on its way through the model: every part reads it, and adds its output to it.",
        "Here {d_model} numbers for each token.",
    ),
    Term(
        "seed",
        "The number from which all random numbers follow. The same seed draws the same tokens again.",
    ),
    Term(
        "softmax",
        "Turns logits into probabilities: exp of each, divided by the sum. All are positive and together 100%.",
    ),
    Term(
        "steering",
        "Adding a direction to the vectors on their way, to move what the model says.",
    ),
    Term(
        "step",
        "Of training: read a batch, compute the loss and its gradient, move every parameter a little.",
    ),
    Term(
        "surprisal",
        "How unexpected a token was: -log2 of its probability, in bits. 1 bit is 50%, 10 bits are 0.1%.",
        "The selected token had {surprisal} bits.",
    ),
    Term(
        "temperature",
        "Divides the logits before softmax. Below 1 it favours the likely tokens, above 1 the rare ones; at 0 "
        "the most probable token always comes.",
    ),
    Term(
        "token",
        "A piece of text that the model reads and writes as one: a word, a part of one, a letter, a pixel or "
        "a bit of sound.",
        "This model knows {vocab}.",
    ),
    Term(
        "tokenizer",
        "Cuts a text into tokens, and puts tokens together into text. Byte-pair encoding learns its pieces by "
        "merging frequent pairs.",
    ),
    Term(
        "top-k",
        "Keeps the k most probable tokens before the draw, and shares their probability out anew.",
    ),
    Term(
        "top-p",
        "Keeps as many of the most probable tokens as are needed for the probability p; also called nucleus sampling.",
    ),
    Term(
        "training",
        "Setting the parameters by gradients, step by step, on a text. When it is over nothing is learned any more.",
    ),
    Term(
        "unembedding",
        "The table of vectors that the last vector is compared with, one for each token: that gives the logits.",
    ),
    Term(
        "validation",
        "Text that is held out of training. Its loss says what the model has learned and not just memorised.",
    ),
    Term(
        "value",
        "In attention, what a token gives to those that look at it; added up by the weights.",
    ),
    Term(
        "vector",
        "A list of numbers, read as a direction and a length in a space with many dimensions.",
        "Here {d_model} numbers.",
    ),
    Term(
        "vocabulary",
        "All tokens that a model knows, each with a number.",
        "Here {vocab}.",
    ),
)
"""By name."""
