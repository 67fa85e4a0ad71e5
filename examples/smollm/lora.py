"""Learning: the upper layers are taught, the lower ones are run once for each text."""

import gguf
import numpy
import smollm2_weights
from network import LEARNT, SCALE, Layer, loss_of, make_rotation

LAYERS = 30
TAUGHT = 10
FIRST_TAUGHT = LAYERS - TAUGHT
NAMES = ("attn_norm", "ffn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
MOST_SLOPE = 1.0
BETAS = (0.9, 0.99)
WARM_UP_STEPS = 5


class Text:
    """Tokens; how many of them are the prompt; and what the lower layers make of them."""

    def __init__(self, tokens, prompt_length):
        self.tokens = numpy.array(tokens)
        self.prompt_length = prompt_length
        self.state = None


class Teacher:
    def __init__(self, rank, seed):
        self.file = {tensor.name: tensor for tensor in gguf.GGUFReader(smollm2_weights.MODEL).tensors}
        self.words = self.tensor("token_embd.weight")
        self.final = self.tensor("output_norm.weight")
        random = numpy.random.default_rng(seed)
        self.layers = []
        for number in range(FIRST_TAUGHT, LAYERS):
            weights = self.layer_weights(number)
            self.layers.append(Layer(weights, {name: make_pair(weights[name].shape, rank, random) for name in LEARNT}))
        self.steps = 0
        self.moments = [numpy.zeros((2, *part.shape), numpy.float32) for part in self.parts()]

    def tensor(self, name):
        found = self.file[name]
        return numpy.asarray(gguf.dequantize(found.data, found.tensor_type), numpy.float32)

    def layer_weights(self, number):
        return {name: self.tensor(f"blk.{number}.{name}.weight") for name in NAMES}

    def parts(self):
        return [part for layer in self.layers for name in LEARNT for part in layer.learnt[name]]

    def prepare(self, texts):
        """Layer by layer, so that only one of the lower ones is in memory."""
        for text in texts:
            text.state = self.words[text.tokens]
        for number in range(FIRST_TAUGHT):
            layer = Layer(self.layer_weights(number))
            for text in texts:
                spans = [(0, len(text.tokens))]
                text.state, _ = layer.forward(text.state, spans, make_rotation(spans))

    def loss(self, texts, teach=False):
        """Of the completions: a token's mean. With `teach`, the slopes too."""
        ends = numpy.cumsum([len(text.tokens) for text in texts])
        spans = [(int(end) - len(text.tokens), int(end)) for text, end in zip(texts, ends)]
        rotation = make_rotation(spans)
        x, kept = numpy.concatenate([text.state for text in texts]), []
        for layer in self.layers:
            x, values = layer.forward(x, spans, rotation)
            kept.append(values if teach else None)
        rows = numpy.concatenate([numpy.arange(s + t.prompt_length - 1, e - 1) for t, (s, e) in zip(texts, spans)])
        targets = numpy.concatenate([text.tokens[text.prompt_length :] for text in texts])
        shares = numpy.full(len(rows), 1 / len(rows), numpy.float32)
        loss, slope = loss_of(x, self.final, self.words, rows, targets, shares)
        slopes = []
        for layer, values in zip(self.layers[::-1], kept[::-1]) if teach else ():
            slope, found = layer.backward(slope, values, spans, rotation)
            slopes = [part for name in LEARNT for part in found[name]] + slopes
        return loss, slopes

    def step(self, texts, rate):
        """One step of Adam, with slopes that are no longer than MOST_SLOPE."""
        loss, slopes = self.loss(texts, teach=True)
        self.steps += 1
        length = float(numpy.sqrt(sum(float((slope * slope).sum()) for slope in slopes)))
        shrink = min(1.0, MOST_SLOPE / max(length, 1e-12))
        rate *= min(1.0, self.steps / WARM_UP_STEPS)
        for part, slope, (mean, square) in zip(self.parts(), slopes, self.moments):
            slope = slope * numpy.float32(shrink)
            mean += (1 - BETAS[0]) * (slope - mean)
            square += (1 - BETAS[1]) * (slope * slope - square)
            level = numpy.sqrt(square / (1 - BETAS[1] ** self.steps)) + 1e-8
            part -= (rate * (mean / (1 - BETAS[0] ** self.steps)) / level).astype(numpy.float32)
        return loss

    def save(self, path, rank):
        """An adapter as llama.cpp reads it."""
        writer = gguf.GGUFWriter(str(path), "llama")
        writer.add_type("adapter")
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", float(SCALE) * rank)
        for number, layer in enumerate(self.layers, FIRST_TAUGHT):
            for name in LEARNT:
                for part, values in zip("ab", layer.learnt[name]):
                    writer.add_tensor(f"blk.{number}.{name}.weight.lora_{part}", numpy.ascontiguousarray(values))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def make_pair(shape, rank, random):
    """B begins with zeros: at first nothing is changed."""
    outside, inside = shape
    a = random.standard_normal((rank, inside)) * inside**-0.5
    return a.astype(numpy.float32), numpy.zeros((outside, rank), numpy.float32)
