"""Servers in many namespaces and one thread of the test itself: HTTP, DNS, a greeting, UDP.

Under emulation a program for each server would cost seconds. Every answer names its server.
"""
from __future__ import annotations

import contextlib
import dataclasses
import selectors
import socket
import ssl
import struct
import threading
from collections.abc import Callable

from hosts import Host

WHO = "id.server"               # the DNS question for a server's name, as in RFC 4892
_TYPES = {1: socket.inet_aton("192.0.2.80"), 16: b"",
          28: socket.inet_pton(socket.AF_INET6, "2001:db8::80")}


@dataclasses.dataclass
class Voice:
    """What a server says on its ports. `status` is for the health page `path` alone."""
    name: str
    path: str = "/"
    status: int = 200

    def http(self, request: bytes) -> bytes:
        asked = request.split(b" ")[1:2] == [self.path.encode()]
        status = self.status if asked else 200
        body = f"{self.name}: all systems go\n"
        return (f"HTTP/1.1 {status} Whatever\r\nX-L7: {self.name}\r\nConnection: close\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}").encode()

    def greeting(self, _: bytes) -> bytes:
        return f"220 {self.name} ready\r\n".encode()

    def agent(self, _: bytes) -> bytes:
        return b"up 100%\n"

    def udp(self, _: bytes) -> bytes:
        return f"yes, {self.name}".encode()

    def dns(self, question: bytes) -> bytes:
        end = question.index(b"\0", 12) + 5
        kind = struct.unpack(">H", question[end - 4:end - 2])[0]
        text = self.name.encode()
        data = _TYPES[kind] or bytes([len(text)]) + text
        return (question[:2] + struct.pack(">5H", 0x8180, 1, 1, 0, 0) + question[12:end]
                + b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data)

    def dns_over_tcp(self, question: bytes) -> bytes:
        answer = self.dns(question[2:])
        return struct.pack(">H", len(answer)) + answer


def dns_question(name: str = WHO, kind: int = 16) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">6H", 4711, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(
        ">HH", kind, 1)


class Speakers:
    """`close()` ends the thread and everything that listens."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._sockets: dict[Host, list[socket.socket]] = {}
        self._lock = threading.Lock()
        self._end = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def tcp(self, host: Host, port: int, answer: Callable[[bytes], bytes],
            first: bool = False, certificate: str = "") -> None:
        """At all addresses of the host. `first`: it speaks before it is spoken to. `certificate`:
        over TLS with that file, whose key is beside it."""
        with host.inside():
            listener = socket.create_server(("::", port), family=socket.AF_INET6, backlog=64,
                                            dualstack_ipv6=True)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, certificate + ".key")
            self._add(host, listener, lambda: _accept_tls(listener, context, answer))
        else:
            self._add(host, listener, lambda: self._accept(listener, answer, first))

    def udp(self, host: Host, address: str, port: int, answer: Callable[[bytes], bytes]) -> None:
        """At one address, so that answers come from there."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with host.inside():
            speaker = socket.socket(family, socket.SOCK_DGRAM)
        speaker.bind((address, port))

        def reply() -> None:
            question, sender = speaker.recvfrom(4096)
            speaker.sendto(answer(question), sender)

        self._add(host, speaker, reply)

    def silence(self, host: Host) -> None:
        """Connections to that host are refused from now on."""
        with self._lock:
            for each in self._sockets.pop(host, []):
                self._selector.unregister(each)
                each.close()

    def close(self) -> None:
        self._end = True
        self._thread.join()
        for host in list(self._sockets):
            self.silence(host)

    def _add(self, host: Host, each: socket.socket, ready: Callable[[], None]) -> None:
        each.setblocking(False)
        with self._lock:
            self._sockets.setdefault(host, []).append(each)
            self._selector.register(each, selectors.EVENT_READ, ready)

    def _accept(self, listener: socket.socket, answer: Callable[[bytes], bytes],
                first: bool) -> None:
        connection, _ = listener.accept()
        connection.setblocking(False)

        def reply() -> None:
            self._selector.unregister(connection)
            with connection:
                if request := connection.recv(4096):
                    connection.sendall(b"" if first else answer(request))

        if first:
            connection.sendall(answer(b""))
        self._selector.register(connection, selectors.EVENT_READ, reply)

    def _run(self) -> None:
        while not self._end:
            with self._lock:
                ready = self._selector.select(0)
                for key, _ in ready:
                    with contextlib.suppress(OSError):      # reset, as health checks do
                        key.data()
            if not ready:
                self._pause()

    def _pause(self) -> None:
        with selectors.DefaultSelector() as idle:
            idle.register(self._selector, selectors.EVENT_READ)
            idle.select(0.05)


def _accept_tls(listener: socket.socket, context: ssl.SSLContext,
                answer: Callable[[bytes], bytes]) -> None:
    connection, _ = listener.accept()

    def serve() -> None:
        connection.settimeout(5)
        with contextlib.suppress(OSError), context.wrap_socket(connection, True) as wrapped:
            wrapped.sendall(answer(wrapped.recv(4096)))

    threading.Thread(target=serve, daemon=True).start()
