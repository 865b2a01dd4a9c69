"""What was published when, what the router had when, and whether the two agree.

Times are seconds of one clock. A publication is only judged once ExaBGP has acknowledged it
(`synced`), and `grace` later: an acknowledged line is queued, not sent.
"""
import bisect
import threading


class History:
    def __init__(self):
        self.lock = threading.Lock()
        self.publications = []      # (time before it was told, set of prefixes)
        self.acknowledged = []      # (time, index of the publication)
        self.troubles = []          # (from, to): session or router disturbed, then settled again
        self.silences = []          # (from, to): routes may also be missing

    def publish(self, now, prefixes):
        """Returns the publication's index."""
        with self.lock:
            self.publications.append((now, frozenset(prefixes)))
            return len(self.publications) - 1

    def acknowledge(self, now, index):
        with self.lock:
            self.acknowledged.append((now, index))

    def settled_after(self, when, grace):
        """The first time from `when` on that is `grace` after any trouble."""
        moved = True
        while moved:
            moved = False
            for begin, end in self.troubles:
                if begin < when + grace and end > when:
                    when, moved = end, True
        return when + grace

    def runs(self, prefix, wanted):
        """(acknowledged, end) of each run of publications with (without) the prefix."""
        begin = None
        for index, (now, prefixes) in enumerate(self.publications):
            if (prefix in prefixes) != wanted:
                if begin is not None:
                    yield from self.acknowledged_within(begin, index, now)
                begin = None
            elif begin is None:
                begin = index
        if begin is not None:
            yield from self.acknowledged_within(begin, len(self.publications), float('inf'))

    def acknowledged_within(self, begin, end, until):
        first = min((now for now, index in self.acknowledged if begin <= index < end),
                    default=None)
        if first is not None and first < until:
            yield first, until

    def absences(self, prefix, grace, now):
        """Spans in which no router may have it: nothing brings back what was withdrawn."""
        for first, until in self.runs(prefix, False):
            begin, end = self.settled_after(first, grace), min(until, now)
            if begin < end:
                yield begin, end

    def presences(self, prefix, grace, now):
        """Spans in which the router must have it: no trouble and no silence."""
        for first, until in self.runs(prefix, True):
            begin, until = self.settled_after(first, grace), min(until, now)
            for start, stop in sorted(self.troubles + self.silences):
                if begin < start:
                    if begin < min(until, start):
                        yield begin, min(until, start)
                begin = max(begin, stop + grace)
            if begin < until:
                yield begin, until


class Presence:
    """When a prefix was there, from a Monitor's events."""

    def __init__(self, events, prefix):
        self.times, self.there = [], []
        for now, which, there in events:
            if which == prefix:
                self.times.append(now)
                self.there.append(there)

    def at(self, when):
        index = bisect.bisect_right(self.times, when)
        return self.there[index - 1] if index else False

    def changes(self, begin, end):
        """Whether it is there at `begin`, and at each change before `end`: (time, there)."""
        yield begin, self.at(begin)
        for index in range(bisect.bisect_right(self.times, begin),
                           bisect.bisect_left(self.times, end)):
            yield self.times[index], self.there[index]


def violations(history, events, prefixes, grace, now):
    """Sentences about what was there and should not, or the other way round."""
    found = []
    for prefix in sorted(prefixes):
        presence = Presence(events, prefix)
        for spans, wanted in ((history.absences, False), (history.presences, True)):
            for begin, end in spans(prefix, grace, now):
                # BIRD replaces an IPv6 route by deleting and adding it.
                seen = [(at, there) for at, there in presence.changes(begin, end)
                        if there != wanted and presence.at(min(end, at + 0.05)) != wanted]
                if seen:
                    found.append('%s %s at %.3f, within %.3f…%.3f' % (
                        prefix, 'is missing' if wanted else 'is announced', seen[0][0], begin,
                        end))
    return found
