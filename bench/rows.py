"""The benches that are timed: where each starts, where it ends, and how a run goes."""
from __future__ import annotations

import dataclasses

from counters import NetlinkWrites
from places import Place, Taken
from subjects import AGENT, ALL, APPLY, FLOOR, KEEPALIVED, Subject
from tables import Table, table, with_first_weight, with_replaced


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    what: str                       # for people
    before: Table
    after: Table
    look: str                       # how bench_measure knows that IPVS is there
    subjects: tuple[Subject, ...] = ALL
    crash: bool = False             # kill -9 between before and after


@dataclasses.dataclass(frozen=True)
class Counted:
    taken: Taken                    # slower than without counting
    writes: dict[str, int]          # requests that change something, by kind


def rows() -> list[Row]:
    thousand, many, full = table(1, 1000), table(100, 100), table(10, 1000)
    return [
        Row("build-1000", "one service of 1000 servers, from nothing", [], thousand, "counts"),
        Row("build-100x100", "100 services of 100 servers, from nothing", [], many, "counts"),
        Row("weight-1", "one weight of 1000 changes", thousand, with_first_weight(thousand, 2),
            "first"),
        Row("start-no-change", "start with 10 x 1000 servers in the kernel, nothing to do",
            full, full, "idle", (AGENT, KEEPALIVED, APPLY, FLOOR), crash=True),
        Row("reload-10%", "100 of 1000 servers, all over the list, make room for others",
            thousand, with_replaced(thousand, 10), "servers"),
    ]


def run_once(row: Row, subject: Subject) -> Taken:
    place = Place()
    try:
        _prepare(row, subject, place)
        return subject.go(place, row.before, row.after, row.look, count=False)
    finally:
        subject.crash()
        place.close()


def count(row: Row, subject: Subject) -> Counted:
    """System calls and netlink writes, in a run of its own, since counting costs time."""
    place = Place()
    try:
        _prepare(row, subject, place)
        writes = NetlinkWrites(place.host)
        taken = subject.go(place, row.before, row.after, row.look, count=True)
        counts = writes.counts()
        writes.close()
        return Counted(taken, counts)
    finally:
        subject.crash()
        place.close()


def _prepare(row: Row, subject: Subject, place: Place) -> None:
    if row.crash:
        subject.prepare_crashed(place, row.before)
    else:
        subject.prepare(place, row.before)
