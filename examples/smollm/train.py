"""Teaches the model how to answer: LoRA on pairs of prompts and completions."""

import pathlib
import tempfile
import time

import llama_cpp
import numpy
from cog import BaseModel, Input, Path, current_scope
from dataset import read_pairs
from lora import Teacher, Text

BATCH = 4
MAX_TOKENS = 256
HELD_BACK_SHARE = 0.2
MAX_HELD_BACK = 50
REPORT_STEPS = 5
END = "<|im_end|>\n"


class TrainingOutput(BaseModel):
    weights: Path


def train(
    train_data: Path = Input(description='Zip file with data.jsonl: {"prompt": "…", "completion": "…"} a line'),
    steps: int = Input(description="Each looks at four pairs", default=60, ge=1, le=5000),
    learning_rate: float = Input(description="How much a step changes", default=0.001, ge=0.000001, le=0.1),
    rank: int = Input(description="Thickness of the matrices that are learnt", default=8, ge=1, le=64),
    system_prompt: str = Input(
        description="The one that it will be run with", default="You are a helpful assistant.", max_length=1000
    ),
    seed: int = Input(description="Same seed, pairs and settings, same weights", default=0, ge=0),
) -> TrainingOutput:
    began = time.monotonic()
    texts = make_texts(read_pairs(train_data), system_prompt)
    random = numpy.random.default_rng(seed)
    random.shuffle(texts)
    held_back = min(MAX_HELD_BACK, max(1, round(len(texts) * HELD_BACK_SHARE)))
    checked, taught = texts[:held_back], texts[held_back:]
    teacher = Teacher(rank, seed)
    teacher.prepare(texts)
    before = mean_loss(teacher, checked)
    print(f"{len(taught)} pairs to learn from, {len(checked)} held back, loss of these {before:.3f}")
    for number, batch in zip(range(1, steps + 1), batches(taught, random)):
        loss = teacher.step(batch, learning_rate)
        if number % REPORT_STEPS == 0 or number in (1, steps):
            print(f"step {number}/{steps}, loss {loss:.3f}, {time.monotonic() - began:.0f} s", flush=True)
    after = mean_loss(teacher, checked)
    print(f"held-back loss {before:.3f} before, {after:.3f} after")
    scope = current_scope()
    scope.record_metric("held_back_loss_before", before)
    scope.record_metric("held_back_loss_after", after)
    scope.record_metric("pair_count", len(texts))
    path = pathlib.Path(tempfile.mkdtemp()) / "adapter.gguf"
    teacher.save(path, rank)
    return TrainingOutput(weights=Path(path))


def make_texts(pairs, system_prompt):
    server = llama_cpp.load()
    tokenizer = llama_cpp.Tokenizer(server)
    texts = []
    for where, prompt, completion in pairs:
        messages = [{"role": "system", "content": system_prompt}, {"role": "user", "content": prompt}]
        asked = tokenizer.tokens(tokenizer.prompt(messages))
        tokens = asked + tokenizer.tokens(completion + END)
        if len(tokens) > MAX_TOKENS:
            raise ValueError(f"train_data: {where}: {len(tokens)} tokens with the prompt, at most {MAX_TOKENS}")
        texts.append(Text(tokens, len(asked)))
    return texts


def batches(texts, random):
    while True:
        order = random.permutation(len(texts))
        for at in range(0, len(texts), BATCH):
            yield [texts[i] for i in order[at : at + BATCH]]


def mean_loss(teacher, texts):
    losses = [teacher.loss([text])[0] * (len(text.tokens) - text.prompt_length) for text in texts]
    return sum(losses) / sum(len(text.tokens) - text.prompt_length for text in texts)
