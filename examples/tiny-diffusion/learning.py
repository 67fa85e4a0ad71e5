"""How the network learns: pictures are mixed with noise, and it guesses what they were."""

import jax
import jax.numpy as jnp
import numpy
import optax
from network import guess

# How often a prompt is left out, so that the network also learns to guess without one.
WITHOUT_PROMPT = 0.12
LEAST_NOISE = 0.05
MOST_WEIGHT = 20.0
AVERAGE = 0.995
CHECKED_TIMES = (0.15, 0.4, 0.65, 0.9)


def errors(weights, pictures, words, noise, time):
    """At time 0 there is only noise, at 1 only the picture. Late guesses count more."""
    share = time[:, None, None, None]
    guessed = guess(weights, (1 - share) * noise + share * pictures, time, words)
    weight = jnp.minimum(1 / jnp.maximum(1 - share, LEAST_NOISE) ** 2, MOST_WEIGHT)
    return weight * (guessed - pictures) ** 2


def make_step(optimizer):
    def loss(weights, pictures, words, key):
        for_noise, for_time, for_words = jax.random.split(key, 3)
        noise = jax.random.normal(for_noise, pictures.shape)
        time = jax.random.uniform(for_time, (len(pictures),))
        kept = jax.random.uniform(for_words, (len(pictures), 1)) >= WITHOUT_PROMPT
        return errors(weights, pictures, words * kept, noise, time).mean()

    @jax.jit
    def step(weights, state, average, share, pictures, words, key):
        value, slope = jax.value_and_grad(loss)(weights, pictures, words, key)
        updates, state = optimizer.update(slope, state)
        weights = optax.apply_updates(weights, updates)
        average = jax.tree.map(lambda old, new: share * old + (1 - share) * new, average, weights)
        return weights, state, average, value

    return step


def learn(weights, batches, steps, rate, seed, report):
    """`batches` yields (pictures, words). The averaged weights of all steps draw better than the last."""
    warm_up = min(100, steps // 10 + 1)
    schedule = optax.warmup_cosine_decay_schedule(0, rate, warm_up, max(steps, warm_up + 1), rate / 20)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule))
    step, state, average = make_step(optimizer), optimizer.init(weights), weights
    keys = jax.random.split(jax.random.PRNGKey(seed), steps)
    for number in range(steps):
        pictures, words = next(batches)
        share = min(AVERAGE, (1 + number) / (10 + number))
        weights, state, average, value = step(weights, state, average, share, pictures, words, keys[number])
        report(number + 1, value)
    return {name: numpy.asarray(value) for name, value in average.items()}


def held_back_loss(weights, pictures, words, seed):
    """Always with the same noise: what differs is what was learnt."""
    random = numpy.random.default_rng(seed)
    measure = jax.jit(lambda *values: errors(weights, *values).mean())
    losses = []
    for picture, row in zip(pictures, words):
        noise = random.standard_normal((len(CHECKED_TIMES), *picture.shape)).astype(numpy.float32)
        repeated = (numpy.repeat(value[None], len(CHECKED_TIMES), 0) for value in (picture, row))
        losses.append(float(measure(*repeated, noise, numpy.array(CHECKED_TIMES, numpy.float32))))
    return sum(losses) / len(losses)
