"""Machines of a server: `vend agent` in a data directory of its own, and the network between them."""

import json
import pathlib
import selectors
import socket
import subprocess
import threading

import processes
from waiting import wait_until

HARDWARE = {"cores": 2, "memory": 1 << 30, "units": 4, "system": "test"}


class Network:
    """TCP connections to a port of this machine, through a port of its own; all of them can be cut."""

    def __init__(self, port):
        self.target = port
        self.is_cut = False
        self.over = False
        self.pairs = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                if self.is_cut or self.over:
                    near.close()
                    continue
                try:
                    far = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    near.close()
                    continue
                self.pairs.append((near, far))
            threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near, far):
        with selectors.DefaultSelector() as waiting:
            waiting.register(near, selectors.EVENT_READ, far)
            waiting.register(far, selectors.EVENT_READ, near)
            try:
                while True:
                    for key, _ in waiting.select():
                        data = key.fileobj.recv(1 << 16)
                        if not data:
                            return
                        key.data.sendall(data)
            except (OSError, ValueError):
                return
            finally:
                for side in (near, far):
                    side.close()

    def cut(self):
        with self.lock:
            self.is_cut = True
            for pair in self.pairs:
                for side in pair:
                    try:
                        side.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass
            self.pairs = []

    def heal(self):
        with self.lock:
            self.is_cut = False

    def close(self):
        self.over = True
        self.cut()
        self.listener.close()


class Agent:
    def __init__(self, server, directory, name="box", units=4):
        self.server = server
        self.directory = pathlib.Path(directory)
        self.data = self.directory / "data"
        self.name = name
        self.units = units
        self.process = None
        self.starts = 0
        self.network = None
        self.directory.mkdir(parents=True)

    @property
    def log_path(self):
        return self.directory / f"serve-{self.starts}.log"

    def join_through(self, network):
        """By hand: its agent finds the control plane on the other side of `network`."""
        joined = self.server.api().post("/machines", {"name": self.name, "hardware": HARDWARE}, 201).json()
        self.network = network
        self.data.mkdir(mode=0o700)
        identity = {**joined, "host": "127.0.0.1", "port": network.port}
        (self.data / "agent.json").write_text(json.dumps(identity))

    def start(self, *flags):
        self.starts += 1
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [self.server.binary, "agent", "--data", str(self.data), "--units", str(self.units), *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.server.env,
                cwd=self.directory,
            )
        return self

    def join(self):
        return self.start("--join", self.server.url, "--token", self.server.token, "--name", self.name)

    def state(self):
        found = [m for m in self.server.api().get("/machines").json()["results"] if m["name"] == self.name]
        return found[0]["state"] if found else None

    def log(self):
        return [json.loads(line) for line in self.log_path.read_text().splitlines() if line.startswith("{")]

    def fetched(self):
        return [record["folder"] for record in self.log() if "folder" in record]

    def wait_connected(self):
        wait_until(
            lambda: any(record["message"] == "connected to the control plane" for record in self.log()),
            60,
            "the agent to connect",
        )
        return self

    def directors(self):
        return processes.directors(self.data)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(60)

    def destroy(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        for pid in processes.of_data_dir(self.data):
            processes.kill(pid)
        processes.remove_groups(self.data)
        if self.network is not None:
            self.network.close()
