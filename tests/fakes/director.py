#!/usr/bin/env python3
"""A director that lets the control plane connect and then keeps it waiting. Stands in for `vend director --dir DIR`;
VEND_FAKE_DIRECTOR, or the last argument, says how:

silent      says nothing
half-open   sends half a frame and stops
greets      greets, answers pings, and never says that it has told everything
hangs-up    greets and closes the connection, each time
"""

import json
import os
import pathlib
import socket
import struct
import sys


def start_time(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def frame(**members):
    body = json.dumps(members).encode()
    return struct.pack(">I", len(body)) + body


def read_frame(connection):
    def exactly(size):
        data = b""
        while len(data) < size:
            more = connection.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    return json.loads(exactly(struct.unpack(">I", exactly(4))[0]))


def hello(spec, state):
    return frame(
        event="hello",
        protocol=1,
        instance=spec["instance"],
        version=spec["version"],
        pid=os.getpid(),
        state=state,
        setup_logs="",
        running=[],
        slots=spec["slots"],
        ahead=0,
        pings=True,
    )


def serve(connection, how, spec):
    if how == "half-open":
        connection.sendall(hello(spec, "ready")[:40])
    elif how != "silent":
        connection.sendall(hello(spec, "starting"))
    if how == "hangs-up":
        return
    while command := read_frame(connection):
        if how == "greets" and command.get("command") == "ping":
            connection.sendall(frame(event="pong"))


def main():
    folder = pathlib.Path(sys.argv[sys.argv.index("--dir") + 1]).resolve()
    how = os.environ.get("VEND_FAKE_DIRECTOR") or sys.argv[-1]
    spec = json.loads((folder / "spec.json").read_text())
    # A path of any length: the name of the socket alone would be limited.
    os.chdir(folder)
    pathlib.Path("director.sock").unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("director.sock")
        listener.listen()
        pathlib.Path("director.pid").write_text(f"{os.getpid()} {start_time(os.getpid())}\n")
        while True:
            connection, _ = listener.accept()
            with connection:
                try:
                    serve(connection, how, spec)
                except (EOFError, OSError):
                    continue


if __name__ == "__main__":
    main()
