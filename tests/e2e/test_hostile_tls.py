"""Under TLS too a request costs a worker no more than its bytes, and gets one reply."""

import os
import socket
import ssl

import pytest

# Of a core; a spinning worker takes all of one for as long as the connection lasts.
MOST_CPU_S = 0.5
HEAD = b"GET /-/healthz HTTP/1.1\r\nHost: h\r\n"
BIG = 100000

HOSTILE = {
    "a chunk's extension": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;" + b"a" * BIG, 400),
    "zeros of a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * BIG, 400),
    "a NUL": (b"GET /-/healthz\0x HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "a header that goes on": (HEAD + b"X: a\r\n b\r\n\r\n", 400),
    "a length": (HEAD + b"Content-Length: +4\r\n\r\nabcd", 400),
    "half a body": (HEAD + b"Content-Length: 100\r\n\r\nabcd", 408),
}
FLAGS = ["--tls-auto", "true", "--body-timeout", "2s"]


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(server, name):
    sent, status = HOSTILE[name]
    context = ssl.create_default_context(cafile=server.ca)
    context.check_hostname = False
    port = int(server.url.rsplit(":", 1)[1])
    before = cpu_seconds(server.pid())
    reply = b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        with context.wrap_socket(plain, suppress_ragged_eofs=True) as client:
            client.sendall(sent)
            while piece := client.recv(65536):
                reply += piece
    assert cpu_seconds(server.pid()) - before < MOST_CPU_S
    assert reply.startswith(b"HTTP/1.1 %d " % status), reply
    assert reply.count(b"HTTP/1.1 ") == 1
