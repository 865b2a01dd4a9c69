#!/usr/bin/python3
"""The judge of fault_test.py, on histories that are known to be good or bad."""
import unittest

from fault_history import History, violations

P = '198.51.100.1/32'


def judge(publications, acknowledged, events, troubles=(), silences=(), now=100.0):
    history = History()
    for when, prefixes in publications:
        history.publish(when, prefixes)
    for when, index in acknowledged:
        history.acknowledge(when, index)
    history.troubles, history.silences = list(troubles), list(silences)
    return violations(history, [(at, P, there) for at, there in events], [P], 1.0, now)


class Judge(unittest.TestCase):
    def test_all_is_well(self):
        self.assertEqual([], judge([(1, [P]), (10, []), (20, [P])],
                                   [(1.1, 0), (10.1, 1), (20.1, 2)],
                                   [(1.2, True), (10.2, False), (20.2, True)]))

    def test_never_withdrawn(self):
        self.assertEqual(1, len(judge([(1, [P]), (10, [])], [(1.1, 0), (10.1, 1)], [(1.2, True)])))

    def test_withdrawn_too_late(self):
        self.assertEqual(1, len(judge([(1, [P]), (10, [])], [(1.1, 0), (10.1, 1)],
                                      [(1.2, True), (12, False)])))

    def test_not_acknowledged(self):
        self.assertEqual([], judge([(1, [P]), (10, [])], [(1.1, 0)], [(1.2, True)]))

    def test_comes_back_by_itself(self):
        events = [(1.2, True), (10.2, False), (30, True), (31, False)]
        self.assertEqual(1, len(judge([(1, [P]), (10, [])], [(1.1, 0), (10.1, 1)], events)))
        # Trouble is no excuse for that…
        self.assertEqual(1, len(judge([(1, [P]), (10, [])], [(1.1, 0), (10.1, 1)], events,
                                      troubles=[(29, 33)])))

    def test_withdrawn_into_trouble(self):
        # …but a withdrawal may be lost in it, until the session is settled.
        told = [(1, [P]), (10, [])], [(1.1, 0), (10.1, 1)]
        self.assertEqual([], judge(*told, [(1.2, True), (15, False)], troubles=[(10.5, 15)]))
        self.assertEqual(1, len(judge(*told, [(1.2, True), (17, False)], troubles=[(10.5, 15)])))

    def test_missing(self):
        told = [(1, [P])], [(1.1, 0)]
        events = [(1.2, True), (40, False), (50, True)]
        self.assertEqual(1, len(judge(*told, events)))
        self.assertEqual([], judge(*told, events, silences=[(39, 51)]))
        self.assertEqual([], judge(*told, events, troubles=[(39, 51)]))
        self.assertEqual(1, len(judge(*told, events, silences=[(39, 45)])))

    def test_never_came(self):
        self.assertEqual(1, len(judge([(1, [P])], [(1.1, 0)], [])))


if __name__ == '__main__':
    unittest.main()
