"""Keeps a server running: whatever ends it, it is started again, as a service manager would."""

import subprocess
import threading
import time

START_TIMEOUT_S = 60


class Keeper:
    def __init__(self, server, injector_of, log):
        self.server, self.log = server, log
        self.injector_of = injector_of
        self.lock = threading.Lock()
        self.expected = False  # its end was ours
        self.over = threading.Event()
        self.problems = []
        self.thread = threading.Thread(target=self._keep, daemon=True)

    def start(self):
        self.server.start()
        self.thread.start()

    def _keep(self):
        while not self.over.wait(0.05):
            if self.server.process.poll() is None:
                continue
            code = self.server.process.returncode
            if not self.expected and not self.injector_of().disk_was_full(time.monotonic()):
                self.problems.append(f"the server ended by itself: {code}, {self.server.log_path}")
            self.expected = False
            self.log(f"server ended: {code}; starting it")
            with self.lock:
                self.server.spawn()
            self.over.wait(0.3)

    def kill(self):
        with self.lock:
            if self.server.process.poll() is not None:
                return False
            self.expected = True
            self.server.process.kill()
        return True

    def terminate(self):
        with self.lock:
            if self.server.process.poll() is not None:
                return False
            self.expected = True
            self.server.process.terminate()
        return True

    def release(self):
        """Leaves the server as it is, and alone."""
        self.over.set()
        self.thread.join()

    def wait_ready(self, timeout=START_TIMEOUT_S):
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            try:
                if self.server._ready():
                    return
            except Exception:  # noqa: BLE001
                pass
            time.sleep(0.1)
        raise AssertionError(f"the server does not get ready: {self.server.log_path}")

    def stop_within(self, timeout):
        self.server.process.terminate()
        try:
            return self.server.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
