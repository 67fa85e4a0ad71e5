"""The layers of a Llama network with LoRA in NumPy, forwards and backwards.

The weights stay as they are. What is learnt are two thin matrices beside some of them: y = W x + s B A x.
Texts of different length lie one after the other in one matrix, a row a token; only attention looks at them apart.
"""

import numpy

HEADS = 9
KEY_HEADS = 3
HEAD_WIDTH = 64
WIDTH = HEADS * HEAD_WIDTH
GROUP = HEADS // KEY_HEADS
EPSILON = numpy.float32(1e-5)
ROTATION_BASE = 100000.0
LEARNT = ("attn_q", "attn_v", "attn_output", "ffn_down")
SCALE = numpy.float32(2.0)


def normalize(x, weight):
    root = 1 / numpy.sqrt((x * x).mean(axis=-1, keepdims=True) + EPSILON)
    return x * root * weight, root


def normalize_back(slope, x, weight, root):
    slope = slope * weight
    return root * slope - x * root**3 * (slope * x).mean(axis=-1, keepdims=True)


def make_rotation(spans):
    """Of each row its place in its own text, as cosines and sines."""
    places = numpy.concatenate([numpy.arange(end - start) for start, end in spans])
    angles = numpy.outer(places, ROTATION_BASE ** (-numpy.arange(0, HEAD_WIDTH, 2) / HEAD_WIDTH))
    return numpy.cos(angles).astype(numpy.float32)[:, None], numpy.sin(angles).astype(numpy.float32)[:, None]


def rotate(x, rotation, direction=1):
    """GGUF has the pairs that are turned beside each other."""
    cos, sin = rotation[0], rotation[1] * direction
    even, odd = x[..., 0::2], x[..., 1::2]
    return numpy.stack([even * cos - odd * sin, even * sin + odd * cos], axis=-1).reshape(x.shape)


class Layer:
    def __init__(self, weights, learnt=None):
        self.weights = weights
        self.learnt = learnt or {}

    def linear(self, name, x):
        y = x @ self.weights[name].T
        if name in self.learnt:
            a, b = self.learnt[name]
            y += SCALE * (x @ a.T) @ b.T
        return y

    def linear_back(self, name, slope, x, slopes):
        back = slope @ self.weights[name]
        if name in self.learnt:
            a, b = self.learnt[name]
            inner = SCALE * slope @ b
            slopes[name] = (inner.T @ x, SCALE * slope.T @ (x @ a.T))
            back += inner @ a
        return back

    def forward(self, x, spans, rotation):
        """The output, and what the way back needs."""
        normal, root = normalize(x, self.weights["attn_norm"])
        q = rotate(self.linear("attn_q", normal).reshape(-1, HEADS, HEAD_WIDTH), rotation)
        k = rotate(self.linear("attn_k", normal).reshape(-1, KEY_HEADS, HEAD_WIDTH), rotation)
        v = self.linear("attn_v", normal).reshape(-1, KEY_HEADS, HEAD_WIDTH)
        seen, shares = attend(q, k, v, spans)
        middle = x + self.linear("attn_output", seen)
        normal2, root2 = normalize(middle, self.weights["ffn_norm"])
        gate, up = self.linear("ffn_gate", normal2), self.linear("ffn_up", normal2)
        sigmoid = 1 / (1 + numpy.exp(-gate))
        inner = gate * sigmoid * up
        kept = (x, normal, root, q, k, v, seen, shares, middle, root2, gate, up, sigmoid, inner)
        return middle + self.linear("ffn_down", inner), kept

    def backward(self, slope, kept, spans, rotation):
        """The slope of the input, and those of what is learnt."""
        x, normal, root, q, k, v, seen, shares, middle, root2, gate, up, sigmoid, inner = kept
        slopes = {}
        inner_slope = self.linear_back("ffn_down", slope, inner, slopes)
        up_slope = inner_slope * gate * sigmoid
        gate_slope = inner_slope * up * sigmoid * (1 + gate * (1 - sigmoid))
        normal_slope = self.linear_back("ffn_gate", gate_slope, None, slopes)
        normal_slope += self.linear_back("ffn_up", up_slope, None, slopes)
        slope = slope + normalize_back(normal_slope, middle, self.weights["ffn_norm"], root2)
        seen_slope = self.linear_back("attn_output", slope, seen, slopes)
        q_slope, k_slope, v_slope = attend_back(seen_slope, q, k, v, shares, spans)
        q_slope, k_slope = rotate(q_slope, rotation, -1), rotate(k_slope, rotation, -1)
        rows = len(x)
        normal_slope = self.linear_back("attn_q", q_slope.reshape(rows, -1), normal, slopes)
        normal_slope += self.linear_back("attn_k", k_slope.reshape(rows, -1), None, slopes)
        normal_slope += self.linear_back("attn_v", v_slope.reshape(rows, -1), normal, slopes)
        return slope + normalize_back(normal_slope, x, self.weights["attn_norm"], root), slopes


def split_heads(x, start, end):
    """(key heads, heads that share one, tokens, width)."""
    return x[start:end].reshape(end - start, KEY_HEADS, -1, HEAD_WIDTH).transpose(1, 2, 0, 3)


def join_heads(x):
    return x.transpose(2, 0, 1, 3).reshape(x.shape[2], -1, HEAD_WIDTH)


def attend(q, k, v, spans):
    seen, shares = numpy.empty((len(q), WIDTH), numpy.float32), []
    for start, end in spans:
        queries, keys, values = (split_heads(x, start, end) for x in (q, k, v))
        scores = queries @ keys.swapaxes(-1, -2) / numpy.float32(HEAD_WIDTH**0.5)
        scores = numpy.where(numpy.tri(end - start, dtype=bool), scores, numpy.float32(-1e9))
        scores = numpy.exp(scores - scores.max(axis=-1, keepdims=True))
        share = scores / scores.sum(axis=-1, keepdims=True)
        seen[start:end] = join_heads(share @ values).reshape(end - start, WIDTH)
        shares.append(share)
    return seen, shares


def attend_back(slope, q, k, v, shares, spans):
    q_slope, k_slope, v_slope = (numpy.empty_like(x) for x in (q, k, v))
    for (start, end), share in zip(spans, shares):
        queries, keys, values, out = (split_heads(x, start, end) for x in (q, k, v, slope))
        share_slope = out @ values.swapaxes(-1, -2)
        scores = share * (share_slope - (share_slope * share).sum(axis=-1, keepdims=True))
        scores /= numpy.float32(HEAD_WIDTH**0.5)
        q_slope[start:end] = join_heads(scores @ keys)
        # Each key head gets what all of its group tell.
        k_slope[start:end] = join_heads((scores.swapaxes(-1, -2) @ queries).sum(axis=1, keepdims=True))
        v_slope[start:end] = join_heads((share.swapaxes(-1, -2) @ out).sum(axis=1, keepdims=True))
    return q_slope, k_slope, v_slope


def loss_of(x, final_weight, words, rows, targets, shares):
    """Of each target its share of the loss; the loss, and the slope of x."""
    normal, root = normalize(x[rows], final_weight)
    scores = normal @ words.T
    scores -= scores.max(axis=-1, keepdims=True)
    numpy.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    picked = scores[numpy.arange(len(rows)), targets]
    loss = float(-(numpy.log(numpy.maximum(picked, 1e-30)) * shares).sum())
    scores[numpy.arange(len(rows)), targets] -= 1
    scores *= shares[:, None]
    slope = numpy.zeros_like(x)
    slope[rows] = normalize_back(scores @ words, x[rows], final_weight, root)
    return loss, slope
