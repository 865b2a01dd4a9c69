"""The client: many short requests to a virtual IP, and which L7 balancer answered each.

One thread and epoll, no library: under emulation the client must not be what is measured.
"""
from __future__ import annotations

import collections
import dataclasses
import errno
import os
import select
import socket
import struct
import time
from collections.abc import Iterable, Iterator

REQUEST = b"GET %s HTTP/1.1\r\nHost: www.example.org\r\n%s\r\n"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_WHY = {errno.ECONNREFUSED: "refused", errno.ECONNRESET: "reset", errno.EPIPE: "reset",
        errno.EHOSTUNREACH: "unreachable", errno.ENETUNREACH: "unreachable",
        errno.ETIMEDOUT: "timeout"}


@dataclasses.dataclass
class Answers:
    """By client port: the L7 balancer that answered, or why there was no answer."""
    answered: dict[int, str] = dataclasses.field(default_factory=dict)
    failed: dict[int, str] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0

    def spread(self) -> dict[str, int]:
        return dict(sorted(collections.Counter(self.answered.values()).items()))

    def why(self) -> dict[str, int]:
        return dict(collections.Counter(self.failed.values()))

    def moved(self, later: Answers) -> dict[int, tuple[str, str]]:
        """Client ports that another balancer answers later: {port: (before, after)}."""
        return {port: (name, later.answered[port]) for port, name in self.answered.items()
                if later.answered.get(port, name) != name}

    def __str__(self) -> str:
        text = f"{len(self.answered)} answered ({_counts(self.spread())}) in {self.seconds:.1f} s"
        if self.failed:
            text += f", {len(self.failed)} failed ({_counts(self.why())})"
        return text


class Flow:
    """A connection: connect, send the request, read until the answer is complete.

    Without a source the kernel chooses address and port. OSError if it cannot even begin.
    """

    def __init__(self, target: tuple[str, int], source: tuple[str, int] | None = None,
                 tos: int = 0, request: bytes = REQUEST % (b"/", b"Connection: close\r\n")):
        self.target, self.request = target, request
        self.opened = time.monotonic()
        self.sent = False
        self.received = b""
        family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if tos and family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)
        elif tos:
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
        try:
            if source:
                self.socket.bind(source)
            error = self.socket.connect_ex(target)
            if error != errno.EINPROGRESS:
                raise OSError(error, os.strerror(error))
            self.port: int = self.socket.getsockname()[1]
        except OSError:
            self.socket.close()
            raise

    def ask_again(self) -> None:
        self.opened = time.monotonic()
        self.sent, self.received = False, b""

    def step(self, until_close: bool) -> bool:
        """Goes on as far as it can; true if the answer is complete. OSError if it failed."""
        if not self.sent:
            error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, "connect")
            self.socket.send(self.request)
            self.sent = True
            return False
        data = self.socket.recv(4096)
        self.received += data
        if not data and not _complete(self.received):
            raise OSError(errno.ECONNRESET, "closed before the answer")
        # Reading to the end lets the server close first, and no port waits in TIME_WAIT here.
        return not data if until_close else _complete(self.received)

    def server(self) -> str:
        return _header(self.received.partition(b"\r\n\r\n")[0], b"x-l7").decode() or "unnamed"

    def complaint(self) -> str:
        """Empty if the answer was 200."""
        ok = self.received.startswith(b"HTTP/1.1 200 ")
        return "" if ok else "status " + self.received[9:12].decode(errors="replace")

    def abort(self) -> None:
        """Closes with a reset, so that nothing of the connection stays behind anywhere."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.socket.close()


def ask(target: tuple[str, int], source: str, ports: Iterable[int], *, tos: int = 0,
        timeout: float = 5.0, at_once: int = 50, path: bytes = b"/") -> Answers:
    """One request from each client port, `at_once` of them at a time. Must run on the client.

    `timeout` is for a whole flow. `tos` pins flows to a node (plan.pin_tos).
    """
    start = time.monotonic()
    answers = Answers()
    request = REQUEST % (path, b"Connection: close\r\n")

    def opened() -> Iterator[Flow]:
        for port in ports:
            try:
                yield Flow(target, (source, port), tos, request)
            except OSError as error:
                answers.failed[port] = reason(error)

    for flow, why in drive(opened(), timeout, at_once, until_close=True):
        _note(answers, flow, why)
        flow.abort() if why else flow.socket.close()
    answers.seconds = time.monotonic() - start
    return answers


class Held:
    """Connections that stay open. ask() sends one more request on each that still lives.

    A flow that once failed is closed and stays in later answers as failed ("lost").
    """

    def __init__(self, target: tuple[str, int], source: str, ports: Iterable[int], tos: int = 0):
        self._request = REQUEST % (b"/", b"")
        self._flows = [Flow(target, (source, port), tos, self._request) for port in ports]
        self._lost: set[int] = set()
        self.first = self.ask()

    def ask(self, timeout: float = 5.0) -> Answers:
        start = time.monotonic()
        answers = Answers(failed={port: "lost" for port in self._lost})
        for flow in self._flows:
            flow.ask_again()
        for flow, why in drive(iter(self._flows), timeout, len(self._flows), until_close=False):
            _note(answers, flow, why)
            if why:
                self._lost.add(flow.port)
                flow.abort()
        self._flows = [flow for flow in self._flows if flow.port not in self._lost]
        answers.seconds = time.monotonic() - start
        return answers

    def close(self) -> None:
        for flow in self._flows:
            flow.socket.close()     # in order: a reset one stays in the nodes' table for 10 s
        self._flows = []


def drive(waiting: Iterator[Flow | None], timeout: float, at_once: int,
          until_close: bool) -> Iterator[tuple[Flow, str]]:
    """Takes flows to their end and yields each with "" or the reason of its failure.

    `waiting` may yield None for: none just now, ask me again in a moment.
    """
    active: dict[int, Flow] = {}            # by descriptor, the oldest first
    more = True
    with select.epoll() as poll:
        while more or active:
            idle = False
            while more and not idle and len(active) < at_once:
                try:
                    flow = next(waiting)
                except StopIteration:
                    more = False
                    break
                idle = flow is None
                if flow:
                    active[flow.socket.fileno()] = flow
                    poll.register(flow.socket, select.EPOLLOUT)
            for descriptor, _ in poll.poll(0.01 if idle else 0.1):
                flow = active[descriptor]
                why, done = _try(flow, until_close)
                if done:
                    del active[descriptor]
                    poll.unregister(descriptor)
                    yield flow, why
                elif flow.sent:
                    poll.modify(descriptor, select.EPOLLIN)
            oldest = time.monotonic() - timeout
            for descriptor in [d for d, flow in active.items() if flow.opened < oldest]:
                flow = active.pop(descriptor)
                poll.unregister(descriptor)
                yield flow, "no answer" if flow.sent else "no connection"


def _try(flow: Flow, until_close: bool) -> tuple[str, bool]:
    try:
        return "", flow.step(until_close)
    except BlockingIOError:
        return "", False
    except OSError as error:
        return reason(error), True


def _note(answers: Answers, flow: Flow, why: str) -> None:
    if why := why or flow.complaint():
        answers.failed[flow.port] = why
    else:
        answers.answered[flow.port] = flow.server()


def _complete(received: bytes) -> bool:
    head, separator, body = received.partition(b"\r\n\r\n")
    return bool(separator) and len(body) >= int(_header(head, b"content-length") or 0)


def _header(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.lower() == name:
            return value.strip()
    return b""


def reason(error: OSError) -> str:
    return _WHY.get(error.errno or 0, f"{error.strerror}")


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
