"""Connections of other processes, cut as the network would."""

import ctypes
import os
import socket
import stat

SYS_PIDFD_GETFD = 438


def is_slot(sock):
    """Between a director and coglet's worker."""
    return "/slot-" in str(sock.getsockname())


def of_process(pid, family, fits=lambda sock: True):
    """Descriptors of its connected stream sockets."""
    found = []
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            if stat.S_ISSOCK(os.stat(entry.path).st_mode):
                found.append(int(entry.name))
    except OSError:
        pass
    return [fd for fd in found if _with_socket(pid, fd, lambda s: _is_connected(s, family) and fits(s))]


def _is_connected(sock, family):
    if sock.family != family or sock.type != socket.SOCK_STREAM:
        return False
    try:
        sock.getpeername()
        return True
    except OSError:
        return False


def _with_socket(pid, fd, use):
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        return None
    try:
        copy = ctypes.CDLL(None, use_errno=True).syscall(SYS_PIDFD_GETFD, pidfd, fd, 0)
        if copy < 0:
            return None
        with socket.socket(fileno=copy) as sock:
            return use(sock)
    except OSError:
        return None
    finally:
        os.close(pidfd)


def cut(pid, fd):
    """Both ways; False when it is gone already."""
    return _with_socket(pid, fd, lambda s: s.shutdown(socket.SHUT_RDWR) or True) is not None
