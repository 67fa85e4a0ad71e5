"""Prompts as rows of counts, one column a place in the network's table of words."""

import re
import zlib

import numpy
from network import WORDS

LEFT_OUT = {"a", "an", "the", "of", "and", "with"}


def split_words(prompt):
    """What stands behind "on" is the background: the same word means another thing there."""
    mark = ""
    for word in re.findall(r"[^\W_]+", prompt.lower()):
        if word == "on":
            mark = "on:"
        elif word not in LEFT_OUT:
            yield mark + word


def count_words(prompt):
    counts = numpy.zeros(WORDS, numpy.float32)
    for word in split_words(prompt):
        counts[zlib.crc32(word.encode()) % WORDS] += 1
    return counts
