# coglet's worker imports numpy at each output. Python searches the whole path again for a package that is not
# there, which takes longer than a short run; nothing is searched while the folders are as they were. Many outputs
# come within PATIENCE: even a look at the folders would be a seventh of what a chunk takes.
import os
import sys
import time

PATIENCE = 0.01  # seconds


class Absent:
    def __init__(self, name):
        self.name = name
        self.seen = None
        self.places = None
        self.until = 0.0

    def look(self):
        """Where it is searched for, and how that looks now, or looked a moment ago."""
        places = [*map(id, sys.meta_path), *sys.path]
        now = time.monotonic()
        if places != self.places or now > self.until:
            self.places = places
            self.times = [self.changed(folder) for folder in sys.path]
            self.until = now + PATIENCE
        return places, self.times

    @staticmethod
    def changed(folder):
        try:
            return os.stat(folder or ".").st_mtime_ns
        except OSError:
            return None

    @staticmethod
    def is_import():
        """Who only looks for a spec expects none, and no error."""
        return sys._getframe(3).f_code.co_name == "_find_and_load_unlocked"

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        now = self.look()
        if now == self.seen and self.is_import():
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                return spec
        self.seen = now
        return None


sys.meta_path.insert(0, Absent("numpy"))
del Absent

import coglet

coglet.server._run_worker()
