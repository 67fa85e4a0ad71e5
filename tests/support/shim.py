"""The control file of shim.c."""

import mmap
import struct


class Shim:
    CLOCK, SYNC_DELAY, FULL, THREADS = range(4)

    def __init__(self, library, directory, data):
        self.path = directory / "shim-control"
        self.path.write_bytes(bytes(32))
        self.file = open(self.path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), 32)
        self.env = {
            "LD_PRELOAD": str(library),
            "VEND_SHIM_CONTROL": str(self.path),
            "VEND_SHIM_DIR": str(data),
        }

    def _set(self, field, value):
        self.map[field * 8 : field * 8 + 8] = struct.pack("=q", value)

    def _get(self, field):
        return struct.unpack("=q", self.map[field * 8 : field * 8 + 8])[0]

    def set_full(self, full):
        self._set(self.FULL, int(full))

    def set_threads(self, most):
        """Beside the first one, in each process; 0 takes the limit away."""
        self._set(self.THREADS, most)

    def set_sync_delay(self, seconds):
        self._set(self.SYNC_DELAY, int(seconds * 1e6))

    def step_clock(self, seconds):
        self._set(self.CLOCK, self._get(self.CLOCK) + int(seconds * 1e6))

    def set_clock(self, seconds):
        self._set(self.CLOCK, int(seconds * 1e6))

    @property
    def clock(self):
        return self._get(self.CLOCK) / 1e6
