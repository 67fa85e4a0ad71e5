"""What goes wrong: a schedule from a seed, and the hands that carry it out."""

import contextlib
import heapq
import os
import random
import signal
import socket
import threading
import time
import urllib.parse

import connections
import processes

LEASE_S = 4
SHORT_S, LONG_S = (0.2, 1.5), (LEASE_S * 1.5, LEASE_S * 2.5)
# Of one hundred faults, how many are of which kind.
WEIGHTS = {
    "kill server": 8,
    "kill director": 10,
    "kill model server": 9,
    "kill worker": 9,
    "kill zygote": 3,
    "restart server": 2,
    "stop server shortly": 4,
    "stop server beyond the lease": 2,
    "stop director shortly": 6,
    "stop director beyond the lease": 5,
    "stop model server shortly": 5,
    "stop model server beyond the lease": 3,
    "stop worker shortly": 4,
    "stop worker beyond the lease": 3,
    "disk full": 7,
    "slow disk": 7,
    "clock step": 8,
    "cut server from director": 9,
    "cut director from model server": 8,
    "cut client from server": 8,
    "silent director at a start": 5,
    "silent clients": 3,
    "half-open clients": 3,
    "slow clients": 3,
}
# Each opens so many connections at once.
N_PEERS = 20
DRIP_S = 0.3
CLOCK_STEPS_S = (0.5, 5, 60, 600, 1800)
MOST_CLOCK_S = 3600  # deliveries of webhooks live for longer than that


def schedule(seed, count, pause=1.0, only=None):
    """[(kind, how hard 0..1, which 0..1, seconds to the next one)]: the same for the same seed."""
    chance = random.Random(seed)
    weights = {kind: WEIGHTS[kind] for kind in only or WEIGHTS}
    kinds = chance.choices(list(weights), weights.values(), k=count)
    return [(k, chance.random(), chance.random(), chance.uniform(0.1, 2 * pause)) for k in kinds]


def between(bounds, part):
    return bounds[0] + (bounds[1] - bounds[0]) * part


# ---- Processes of a data directory


def marked(data, word):
    """Processes of models with that word in their arguments."""
    mark = f"VEND_INSTANCE_DIR={data}/instances/".encode()
    found = []
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and mark in open(f"/proc/{entry}/environ", "rb").read():
                if word in open(f"/proc/{entry}/cmdline", "rb").read():
                    found.append(int(entry))
        except OSError:
            pass
    return sorted(found)


def directors(data):
    return sorted(processes.directors(data))


def model_servers(data):
    """What a director starts: coglet's server, or its worker."""
    return marked(data, b"cog.server.http") or workers(data)


def workers(data):
    return marked(data, b"_run_worker")


def zygotes(data):
    return sorted(processes.zygotes(data))


# ---- Connections


def cut(pid, family, which, fits=lambda sock: True):
    found = connections.of_process(pid, family, fits)
    return bool(found) and connections.cut(pid, found[int(which * len(found))])


class Injector:
    """Carries faults out on `keeper`'s server; what lasts is taken back by `tick`."""

    def __init__(self, keeper, shim, log):
        self.keeper, self.shim, self.log = keeper, shim, log
        self.later = []
        self.n = 0
        self.counts = {}
        self.idle = 0  # faults that found nobody to hit
        self.disk_faults = []  # when the disk was full
        self.lock = threading.Lock()

    @property
    def data(self):
        return self.keeper.server.data

    def _after(self, seconds, undo):
        self.n += 1
        heapq.heappush(self.later, (time.monotonic() + seconds, self.n, undo))

    def tick(self, until=None):
        """Takes back what is due."""
        while self.later and self.later[0][0] <= (until or time.monotonic()):
            heapq.heappop(self.later)[2]()

    def calm(self):
        self.tick(float("inf"))
        self.shim.set_full(False)
        self.shim.set_sync_delay(0)

    def pause(self, seconds):
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            self.tick()
            time.sleep(min(0.02, until - now))

    def inject(self, kind, hard, which):
        self.tick()
        hit = self._carry_out(kind, hard, which)
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if not hit:
            self.idle += 1
        self.log(f"{kind}{'' if hit else ' (nobody there)'}")

    def _carry_out(self, kind, hard, which):
        words = kind.split()
        if words[0] in ("kill", "stop") and words[1] != "server":
            return self._signal(kind, hard, which)
        if kind == "kill server":
            return self.keeper.kill()
        if kind == "restart server":
            return self.keeper.terminate()
        if words[0] == "stop":
            return self._stop([self.keeper.server.pid()], kind, hard, 0)
        if words[0] == "cut":
            return self._cut(kind, which)
        if kind == "silent director at a start":
            return self._silence_director(hard, which)
        if words[1] == "clients":
            return self._peers(words[0], hard)
        return self._disturb(kind, hard, which)

    def _signal(self, kind, hard, which):
        found = {
            "director": directors,
            "model": model_servers,
            "worker": workers,
            "zygote": zygotes,
        }[kind.split()[1]](self.data)
        if kind.startswith("stop"):
            return self._stop(found, kind, hard, which)
        if found:
            processes.kill(found[int(which * len(found))])
        return bool(found)

    def _stop(self, found, kind, hard, which):
        if not found:
            return False
        pid = found[int(which * len(found))]
        processes.kill(pid, signal.SIGSTOP)
        length = between(LONG_S if kind.endswith("lease") else SHORT_S, hard)
        self._after(length, lambda: processes.kill(pid, signal.SIGCONT))
        return True

    def _cut(self, kind, which):
        if kind == "cut client from server":
            return cut(self.keeper.server.pid(), socket.AF_INET, which)
        found = directors(self.data)
        if not found:
            return False
        director = found[int(which * len(found))]
        if kind == "cut server from director":
            return cut(director, socket.AF_UNIX, (which * 7) % 1, lambda s: not connections.is_slot(s))
        return cut(director, socket.AF_UNIX, (which * 7) % 1, connections.is_slot) or cut(
            director, socket.AF_INET, (which * 7) % 1
        )

    def _silence_director(self, hard, which):
        """It takes the connection of the next server, and says nothing for as long as that is patient, or longer."""
        hit = self._stop(directors(self.data), "stop director beyond the lease", hard, which)
        return self.keeper.kill() and hit

    def _peers(self, how, hard):
        """Connections to the server that say nothing, half a request, or a byte now and then."""
        address = urllib.parse.urlsplit(self.keeper.server.url)
        opened = []
        for _ in range(N_PEERS):
            with contextlib.suppress(OSError):
                peer = socket.create_connection((address.hostname, address.port), timeout=2)
                opened.append(peer)
                if how != "silent":
                    peer.sendall(b"POST /v1/predictions HTTP/1.1\r\nHost: x\r\nContent-Le"[: 20 + int(30 * hard)])
        self._after(between(LONG_S, hard), lambda: [peer.close() for peer in opened])
        if how == "slow":
            self._drip(opened, int(between(LONG_S, hard) / DRIP_S))
        return bool(opened)

    def _drip(self, peers, times):
        for peer in peers:
            with contextlib.suppress(OSError):
                peer.sendall(b"x")
        if times > 1:
            self._after(DRIP_S, lambda: self._drip(peers, times - 1))

    def _disturb(self, kind, hard, which):
        if kind == "disk full":
            self.disk_faults.append(time.monotonic())
            self.shim.set_full(True)
            self._after(between((0.1, 3), hard), self._disk_free)
        elif kind == "slow disk":
            self.shim.set_sync_delay(between((0.02, 0.4), which))
            self._after(between((0.2, 3), hard), lambda: self.shim.set_sync_delay(0))
        else:
            step = CLOCK_STEPS_S[int(hard * len(CLOCK_STEPS_S))] * (1 if which < 0.5 else -1)
            if abs(self.shim.clock + step) > MOST_CLOCK_S:
                step = -step
            self.shim.step_clock(step)
        return True

    def _disk_free(self):
        self.shim.set_full(False)
        self.disk_faults.append(time.monotonic())

    def disk_was_full(self, at, slack=8):
        """Whether the disk was full within `slack` seconds before the moment."""
        return any(-1 < at - moment < slack for moment in self.disk_faults)
