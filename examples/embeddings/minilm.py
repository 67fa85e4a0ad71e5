"""The network of all-MiniLM-L6-v2, a BERT of six layers, in NumPy."""

import numpy
from safetensors.numpy import load_file
from tokenizers import Tokenizer

LAYERS = 6
HEADS = 12
WIDTH = 384
MAX_TOKENS = 256


class MiniLM:
    def __init__(self, folder):
        tensors = load_file(folder / "model.safetensors")
        self.weights = {name.removeprefix("bert."): value for name, value in tensors.items()}
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.tokenizer.no_padding()

    def tokenize(self, text):
        return self.tokenizer.encode(text).ids

    def embed(self, tokens):
        """The unit vector of one text. Texts are never padded to one length, so that a vector does not
        depend, not even in its last bits, on which other texts came with it."""
        state = self.look_up(tokens)
        for layer in range(LAYERS):
            state = self.layer(f"encoder.layer.{layer}.", state)
        mean = state.mean(axis=0)
        return mean / numpy.linalg.norm(mean)

    def look_up(self, tokens):
        words = self.weights["embeddings.word_embeddings.weight"][tokens]
        places = self.weights["embeddings.position_embeddings.weight"][: len(tokens)]
        kinds = self.weights["embeddings.token_type_embeddings.weight"][0]
        return self.normalize("embeddings.LayerNorm", words + places + kinds)

    def layer(self, name, state):
        seen = self.linear(name + "attention.output.dense", self.attend(name + "attention.self.", state))
        state = self.normalize(name + "attention.output.LayerNorm", state + seen)
        inner = gelu(self.linear(name + "intermediate.dense", state))
        return self.normalize(name + "output.LayerNorm", state + self.linear(name + "output.dense", inner))

    def attend(self, name, state):
        length = len(state)
        query, key, value = (
            self.linear(name + part, state).reshape(length, HEADS, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / numpy.sqrt(numpy.float32(WIDTH / HEADS))
        scores = numpy.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        return (scores @ value).transpose(1, 0, 2).reshape(length, WIDTH)

    def linear(self, name, state):
        return state @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def normalize(self, name, state):
        centred = state - state.mean(axis=-1, keepdims=True)
        spread = numpy.sqrt((centred**2).mean(axis=-1, keepdims=True) + numpy.float32(1e-12))
        return centred / spread * self.weights[name + ".weight"] + self.weights[name + ".bias"]


def gelu(x):
    return x * (1 + erf(x / numpy.sqrt(numpy.float32(2)))) / 2


def erf(x):
    """Abramowitz and Stegun 7.1.26: off by at most 1.5e-7."""
    t = 1 / (1 + numpy.float32(0.3275911) * numpy.abs(x))
    sum_of_powers = numpy.zeros_like(x)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        sum_of_powers = (sum_of_powers + numpy.float32(factor)) * t
    return numpy.sign(x) * (1 - sum_of_powers * numpy.exp(-x * x))
