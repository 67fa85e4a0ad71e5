"""What imports find as sys.stdout and sys.stderr.

coglet puts streams of its own there before it imports a model, and modules keep them: handlers of
loggers, default arguments, `from sys import stderr`. Ahead of a start they find stand-ins that look
like coglet's; in a fork the places that keep a stand-in get the stream that is there by then. One
that nothing can be put in the place of hands on what is written to it."""

import os
import sys
import types

import places

NAMES = ("stdout", "stderr")
MAX_SAID = 1 << 16  # characters that imports write to one stream


class StandIn:
    __slots__ = ("_real", "_target", "_said", "_left", "_sink", "__weakref__")

    def __init__(self, real):
        self._real = real
        self._target = None
        self._said = []
        self._left = MAX_SAID
        self._sink = None  # a descriptor that gets all that is said

    def write(self, text):
        if self._target is not None:
            return self._target.write(text)
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._sink is not None:
            os.write(self._sink, text.encode(errors="replace"))
            return len(text)
        self._said.append(text[: self._left])
        self._left -= len(self._said[-1])
        return len(text)

    def flush(self):
        if self._target is not None:
            self._target.flush()

    def close(self):
        if self._target is not None:
            self._target.close()

    def isatty(self):
        return self._target is not None and self._target.isatty()

    def fileno(self):
        return (self._target or self._real).fileno()

    def readable(self):
        return False

    def writable(self):
        return True

    def seekable(self):
        return False

    @property
    def buffer(self):
        return (self._target or self._real).buffer

    @property
    def encoding(self):
        return self._real.encoding

    @property
    def newlines(self):
        return None

    @property
    def closed(self):
        return self._target is not None and self._target.closed

    def __getattr__(self, name):
        if self._target is None:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        return getattr(self._target, name)


class Streams:
    def __init__(self):
        self.real = [getattr(sys, name) for name in NAMES]
        self.stand_ins = [StandIn(real) for real in self.real]
        self.places = []

    def put_up(self, sink=None):
        for stand_in in self.stand_ins:
            stand_in._sink = sink
        self.set(self.stand_ins)

    def are_replaced(self):
        """By an import: nobody else's would get there."""
        return [getattr(sys, name) for name in NAMES] != self.stand_ins

    def take_down(self):
        for stand_in in self.stand_ins:
            stand_in._sink = None
        self.set(self.real)
        self.places = places.find(places.Wanted(self.stand_ins), [self.stand_ins])

    @staticmethod
    def set(streams):
        for name, stream in zip(NAMES, streams):
            setattr(sys, name, stream)

    def bind(self, streams):
        for place in self.places:
            if place.put is not None:
                place.put(streams[self.stand_ins.index(place.kept)])
        for stand_in, stream in zip(self.stand_ins, streams):
            stand_in._target = stream

    def repeat(self):
        """What imports said is said where they would have been made."""
        for stand_in in self.stand_ins:
            if stand_in._said:
                stand_in.write("".join(stand_in._said))
                stand_in.flush()
            stand_in._said = []

    def follow(self):
        """Until somebody sets both streams, which coglet does before the model is looked at."""

        class Watched(types.ModuleType):
            def __setattr__(module, name, value):  # noqa: N805
                types.ModuleType.__setattr__(module, name, value)
                streams = [getattr(sys, name) for name in NAMES]
                if not any(new is old for new, old in zip(streams, self.real)):
                    module.__class__ = types.ModuleType
                    self.bind(streams)
                    self.repeat()

        sys.__class__ = Watched
