"""Where launchers come to: a fork of this process for each of them."""

import os
import select
import signal
import socket
import struct

LINK = 3  # leads to the one who started this process
BACKLOG = 64
MAX_CHILDREN = 1000


def tell(*words):
    os.write(LINK, (" ".join(words) + "\n").encode(errors="replace"))


class Server:
    def __init__(self, path, is_inside=False):
        """`path` is "fd:N" of a socket that has its address already, or "fd:N,M" with another one for
        orders. With `is_inside` children fork once more (inside.py), and tell."""
        self.is_inside = is_inside
        self.is_order = False  # of a child: its launcher came to the second socket
        taken = [self.take(int(number)) for number in path[3:].split(",")] if path.startswith("fd:") else []
        self.sockets = taken or [self.bind(path)]
        self.children = {}  # descriptor of the process -> number, connection
        self.launchers = {}  # descriptor of the connection -> number
        self.told = {}  # descriptor of the process -> where it tells the number of the next one
        self.polled = select.poll()
        self.polled.register(LINK, select.POLLIN)
        for one in self.sockets:
            one.listen(BACKLOG)
            self.polled.register(one, select.POLLIN)

    @staticmethod
    def take(number):
        os.set_inheritable(number, False)
        return socket.socket(fileno=number)

    @staticmethod
    def bind(path):
        folder, name = os.path.split(path)
        folder_fd = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Any folder makes a short address that way.
        address = f"/proc/self/fd/{folder_fd}/{name}"
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        made.bind(address)
        os.close(folder_fd)
        return made

    def wait(self):
        """Returns in a child only: its connection, the launcher's number, and where to tell the next
        child's, or None."""
        while True:
            for fd, _ in self.polled.poll():
                if fd == LINK:
                    os._exit(0)
                if fd in self.children:
                    self.reap(fd)
                elif fd in self.launchers:
                    self.polled.unregister(fd)
                    os.kill(self.launchers.pop(fd), signal.SIGKILL)
                else:
                    forked = self.take_launcher(fd)
                    if forked is not None:
                        return forked

    def reap(self, pidfd):
        pid, connection = self.children.pop(pidfd)
        _, status = os.waitpid(pid, 0)
        self.polled.unregister(pidfd)
        os.close(pidfd)
        if self.take_next(self.told.pop(pidfd, None), connection):
            return
        if self.launchers.pop(connection.fileno(), None) is not None:
            self.polled.unregister(connection)
        try:
            connection.send(struct.pack("@i", status), socket.MSG_DONTWAIT)
        except OSError:
            pass
        connection.close()

    def take_next(self, told, connection):
        """Whether another child stands for the launcher now."""
        if told is None:
            return False
        text = os.read(told, 4)
        os.close(told)
        if len(text) < 4:
            return False
        self.launchers.pop(connection.fileno(), None)
        self.watch(struct.unpack("@i", text)[0], connection)
        return True

    def watch(self, pid, connection):
        pidfd = os.pidfd_open(pid)
        self.children[pidfd] = pid, connection
        self.launchers[connection.fileno()] = pid
        self.polled.register(pidfd, select.POLLIN)
        self.polled.register(connection, 0)
        return pidfd

    def take_launcher(self, fd):
        listener = next((one for one in self.sockets if one.fileno() == fd), None)
        if listener is None:
            return None
        connection, _ = listener.accept()
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        launcher, user, _ = struct.unpack("@3i", credentials)
        if user != os.geteuid() or len(self.children) >= MAX_CHILDREN:
            connection.close()
            return None
        ends = os.pipe() if self.is_inside else None
        try:
            pid = os.fork()
        except OSError as error:
            connection.send(f"no cannot fork: {error.strerror}".encode(), socket.MSG_DONTWAIT)
            connection.close()
            for end in ends or ():
                os.close(end)
            return None
        if pid == 0:
            for other in self.children.values():
                other[1].detach()
            self.is_order = listener is not self.sockets[0]
            for one in self.sockets:
                one.detach()
            return connection, launcher, ends and ends[1]
        pidfd = self.watch(pid, connection)
        if ends is not None:
            os.close(ends[1])
            self.told[pidfd] = ends[0]
        return None
