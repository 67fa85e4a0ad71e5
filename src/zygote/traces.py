"""What imports learned of the process they were made in, and forks have to know anew.

Where it is, who it is, what the time is and what chance gave are true of the zygote alone. What
imports are told is remembered; the places that keep it, or a text that was made of it, get in each
fork what they would have got there."""

import functools
import gc
import os
import random
import re
import sys
import threading
import time
import types
import uuid

import places
from child import is_loose

MAX_TRACES = 20000
MAX_SHARED = 256  # numbers up to it are the same objects everywhere
MIN_RANDOM = 8  # bytes: shorter ones may be found by accident
COPY = "_VEND_COPY"  # copies of the environment are known by it
CLOCKS = [
    name + unit for name in ("time", "monotonic", "perf_counter", "process_time") for unit in ("", "_ns")
]


class Small(int):
    """A number that is one object wherever it is used would be found everywhere."""


class Trace:
    """`must` be set anew wherever it is kept: without that, what keeps it is wrong in a fork."""

    __slots__ = ("thing", "again", "texts_of", "texts", "must", "modules")

    def __init__(self, thing, again, texts_of, must, modules):
        self.thing = thing
        self.again = again
        self.texts_of = texts_of
        self.texts = texts_of(thing)
        self.must = must
        self.modules = modules

    def is_kept(self):
        return bool(self.texts) or sys.getrefcount(self.thing) > 2


def no_texts(thing):
    return []


def texts_of_path(thing):
    return [thing]


def texts_of_uuid(thing):
    return [str(thing), thing.hex]


def texts_of_bytes(thing):
    return [thing.hex()] if len(thing) >= MIN_RANDOM else []


def calling_modules():
    """Those that are being imported, from the innermost on."""
    frame = sys._getframe(2)
    modules = []
    while frame is not None:
        if frame.f_code.co_name == "<module>":
            modules.append(frame.f_globals.get("__name__", ""))
        frame = frame.f_back
    return modules[:-1]


class Traces:
    def __init__(self):
        self.traces = []
        self.names = []  # with the number of the process in them
        self.asked = {}  # who this is: by module, those that were importing it
        self.originals = []  # module, name, the function itself, what stands in for it
        self.found = []  # places, and of what there is something in them
        self.copies = []  # of the environment
        self.unseeded = []  # generators that a fork must seed again
        self.random_state = None  # when an import has seeded those of all

    # ---- While imports are made

    def watch(self, moves=True):
        """`moves`: forks are in another folder."""
        os.environ[COPY] = COPY
        if moves:
            self.follow(os, "getcwd", texts_of_path, must=True)
        for name in ("getpid", "getppid", "getpgrp"):
            self.follow(os, name, no_texts, must=True)
        self.follow(threading, "get_native_id", no_texts, must=True)
        for name in CLOCKS:
            self.follow(time, name, no_texts)
        self.follow(os, "urandom", texts_of_bytes)
        self.follow(random, "_urandom", texts_of_bytes)
        for name in ("uuid1", "uuid4"):
            self.follow(uuid, name, texts_of_uuid)
        self.replace(random.Random, "seed", self.noting_generators)
        self.replace(random, "seed", self.noting_seed)

    def replace(self, module, name, make):
        original = getattr(module, name)
        instead = make(original)
        instead.__name__ = instead.__qualname__ = name
        setattr(module, name, instead)
        self.originals.append((module, name, original, instead))

    def follow(self, module, name, texts_of, must=False):
        def make(original):
            def tell(*arguments):
                thing = original(*arguments)
                if type(thing) is int and thing <= MAX_SHARED:
                    thing = Small(thing)
                is_short = isinstance(thing, bytes) and len(thing) < MIN_RANDOM
                if len(self.traces) < MAX_TRACES and not is_short:
                    again = functools.partial(original, *arguments)
                    modules = calling_modules()
                    self.traces.append(Trace(thing, again, texts_of, must, modules))
                    if must and modules:
                        self.asked[modules[0]] = modules
                return thing

            return tell

        self.replace(module, name, make)

    def noting_generators(self, original):
        def seed(generator, a=None, *more):
            if not isinstance(generator, random.SystemRandom):
                self.unseeded = [one for one in self.unseeded if one is not generator]
                if a is None:
                    self.unseeded.append(generator)
            return original(generator, a, *more)

        return seed

    def noting_seed(self, original):
        def seed(a=None, *more):
            original(a, *more)
            self.random_state = a is not None

        return seed

    def forget(self):
        """What nobody has kept."""
        self.traces = [trace for trace in self.traces if trace.is_kept()]

    # ---- Afterwards

    def stop(self):
        """Returns what cannot be set anew: the modules that were told it, and why."""
        for module, name, original, _ in self.originals:
            setattr(module, name, original)
        del os.environ[COPY]
        self.forget()
        self.random_state = random.getstate() if self.random_state else None
        self.note_numpy()
        instead = {id(stand_in): original for _, _, original, stand_in in self.originals}
        things = {id(trace.thing): trace for trace in self.traces}
        texts = {text: (trace, at) for trace in self.traces for at, text in enumerate(trace.texts)}
        wanted = places.Wanted([], texts.keys() | {COPY})
        wanted.ids.update(instead, things)
        hidden = [self.traces, instead, things, texts, *self.traces, *texts.values()]
        hidden += [self.originals, *self.originals, *(trace.texts for trace in self.traces)]
        fixed = set()
        for place in places.find(wanted, hidden):
            if id(place.kept) in instead:
                if place.put is not None:
                    place.put(instead[id(place.kept)])
            elif place.kept == COPY:
                self.note_copy(place.holder)
            else:
                parts = [(things[id(place.kept)], None)] if id(place.kept) in things else [
                    texts[part] for part in texts if part in str(place.kept)
                ]
                self.found.append((place, parts))
                if place.put is None:
                    fixed.update(trace for trace, _ in parts)
        self.originals = []
        # What cannot be set everywhere stays the same everywhere.
        self.found = [found for found in self.found if not fixed.intersection(t for t, _ in found[1])]
        for trace in fixed:
            if trace.must and trace.modules:
                return trace.modules, "keeps what is true of another process"
        self.note_names()
        return None

    def note_names(self):
        """The process may be a part of a name in a module that has asked for it."""
        if os.getpid() <= MAX_SHARED:
            return
        self.number = re.compile(rf"(?<!\d){os.getpid()}(?!\d)")
        for name in self.asked:
            kept = vars(sys.modules.get(name, types))
            for key, thing in list(kept.items()):
                if type(thing) is str and key[:2] != "__" and self.number.search(thing):
                    self.names.append((kept, key, thing))

    def note_copy(self, holder):
        if isinstance(holder, dict) and holder.pop(COPY, None) is not None:
            self.copies.append(holder)

    def note_numpy(self):
        """Generators that chance has seeded."""
        numpy = sys.modules.get("numpy.random")
        if numpy is None:
            return
        given = {int.from_bytes(t.thing, "big") for t in self.traces if isinstance(t.thing, bytes)}
        for thing in gc.get_objects():
            if isinstance(thing, numpy.BitGenerator):
                entropy = getattr(getattr(thing, "seed_seq", None), "entropy", None)
                if isinstance(entropy, int) and entropy in given:
                    self.unseeded.append(thing)

    # ---- In a fork

    def renew(self, environment):
        for copy in self.copies:
            for name in [name for name in copy if is_loose(name)]:
                del copy[name]
            copy.update({name: environment[name] for name in environment if is_loose(name)})
        again = {}
        for place, parts in self.found:
            new = place.kept
            for trace, at in parts:
                if trace not in again:
                    thing = trace.again()
                    again[trace] = thing, trace.texts_of(thing)
                thing, texts = again[trace]
                if at is None:
                    new = thing
                else:
                    new = type(new)(str(new).replace(trace.texts[at], texts[at]))
            place.put(new)
        for kept, key, thing in self.names:
            kept[key] = self.number.sub(str(os.getpid()), thing)
        for generator in self.unseeded:
            if isinstance(generator, random.Random):
                generator.seed()
            else:
                generator.state = type(generator)().state
        if self.random_state is not None:
            random.setstate(self.random_state)
