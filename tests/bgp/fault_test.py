#!/usr/bin/python3
"""Faults of the agent, the relay, ExaBGP and the router while the published set changes.

Several labs at the same time, each with a node and a router (BIRD or FRR) in namespaces of their
own; each round meets every kind of fault once, in random order, at a random time. Judged from the
router's side: what was withdrawn stays away, what was published is there, and after each fault the
router has what was published last. Needs root. Run it as

    /usr/bin/python3 tests/bgp/fault_test.py --bin build/release

L4WARD_FAULT_SEED=N repeats a run's choices, L4WARD_FAULT_ROUNDS=N makes it longer (4 rounds in each
of 6 labs), L4WARD_FAULT_LABS=N wider.
"""
import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import time

from bgp_lab import Failure, check, children, require, scratch, wait_for
from bgp_routers import FRR
from fault_lab import BGP_HOLD, HOLD, PREFIXES, World

LABS = int(os.environ.get('L4WARD_FAULT_LABS', 6))
ROUNDS = int(os.environ.get('L4WARD_FAULT_ROUNDS', 4))
SLACK = 1.0


def pause(world, least, most):
    time.sleep(world.random.uniform(least, most))


def signal_for_a_while(world, pid, least, most):
    os.kill(pid, signal.SIGSTOP)
    try:
        pause(world, least, most)
    finally:
        with contextlib.suppress(ProcessLookupError):       # somebody lost patience with it
            os.kill(pid, signal.SIGCONT)


def relay(world):
    wait_for('a relay', lambda: children(world.exabgp()), 20)
    return children(world.exabgp())[0]


def check_withdrawn_after_hold(world, died):
    wait_for(lambda: 'withdrawal; there is still %s' % sorted(world.present()),
             lambda: not world.present(), HOLD + 10)
    last = max((at for at, _, there in list(world.monitor.events) if not there), default=0)
    check(last <= died + HOLD + SLACK, 'withdrawn %.2f s after the death of the agent' % (
        last - died))


def agent_dies(world):
    with world.trouble(silence=True):
        world.agent.kill()
        pause(world, 0, HOLD * 1.5)
        world.start_agent()
        world.change_sets(True)


def agent_stays_away(world):
    world.change_sets(False)
    with world.trouble(silence=True):
        died = time.monotonic()
        world.agent.kill()
        check_withdrawn_after_hold(world, died)
        world.start_agent()
        world.change_sets(True)


def agent_hangs(world):
    with world.trouble(silence=True):
        world.agent.process.send_signal(signal.SIGSTOP)
        pause(world, 0.1, HOLD * 2)
        world.agent.process.send_signal(signal.SIGCONT)


def agent_hangs_for_long(world):
    world.change_sets(False)
    with world.trouble(silence=True):
        died = time.monotonic()
        world.agent.process.send_signal(signal.SIGSTOP)
        check_withdrawn_after_hold(world, died)
        world.agent.process.send_signal(signal.SIGCONT)
        world.change_sets(True)


def relay_dies(world):
    os.kill(relay(world), signal.SIGKILL)


def relay_hangs(world):
    with world.trouble(silence=True):
        signal_for_a_while(world, relay(world), 0.1, 4)


def exabgp_dies(world):
    with world.trouble():
        before = world.exabgp()
        os.kill(before, signal.SIGKILL)
        wait_for('a new ExaBGP', lambda: world.exabgp() != before, 60)


def exabgp_hangs(world):
    with world.trouble():
        signal_for_a_while(world, world.exabgp(), 0.1, BGP_HOLD * 1.5)
        pause(world, 0, 0.5)        # it finds out that its sessions have ended


def router_dies(world):
    with world.trouble():
        world.router.kill()
        pause(world, 0, 3)
        world.router.start()


def router_hangs(world):
    with world.trouble():
        signal_for_a_while(world, world.router.process.pid, 0.1, BGP_HOLD * 1.5)
        pause(world, 0, 0.5)


def session_reset(world):
    with world.trouble():
        world.router.reset()
        pause(world, 0.2, 0.5)


def session_disabled(world):
    with world.trouble():
        world.router.disable()
        pause(world, 0, 3)
        world.router.disable(enabled=True)


def quorum_crossed(world):
    """20 times in 10 seconds."""
    world.change_sets(False)
    for step in range(20):
        world.publish([] if step % 2 else PREFIXES)
        time.sleep(0.5)
    world.change_sets(True)


KINDS = (agent_dies, agent_stays_away, agent_hangs, agent_hangs_for_long, relay_dies, relay_hangs,
         exabgp_dies, exabgp_hangs, router_dies, router_hangs, session_reset, session_disabled,
         quorum_crossed)


def run_lab(number, seed, binaries, folder):
    """All rounds of one lab; returns whether all was well."""
    router = ('bird', 'frr')[number % 2]
    world = World(folder, binaries, router, '%s/%d' % (seed, number))
    name = 'lab %d (%s)' % (number, router)
    try:
        world.start()
        for turn in range(ROUNDS):
            for kind in world.random.sample(KINDS, len(KINDS)):
                title = '%s round %d %s' % (name, turn + 1, kind.__name__)
                begin = time.monotonic()
                world.note('begin ' + title)
                try:
                    world.change_sets(True)
                    pause(world, 0.2, 1.5)
                    kind(world)
                    world.check_final_state()
                    world.check_history()
                except Failure as failure:
                    print('FAILED %s: %s' % (title, failure), flush=True)
                    world.note('FAILED %s: %s' % (title, failure))
                    return False
                print('ok %s %.1f s' % (title, time.monotonic() - begin), flush=True)
        print('%s: %d sets published, %d changes of routes' % (
            name, len(world.history.publications), len(world.monitor.events)), flush=True)
        return True
    finally:
        world.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--bin', required=True, help='build folder')
    parser.add_argument('--keep', action='store_true', help='keep the logs')
    parser.add_argument('--lab', type=int, help='only this one')
    parser.add_argument('--folder', help=argparse.SUPPRESS)
    args = parser.parse_args()
    seed = os.environ.get('L4WARD_FAULT_SEED') or str(random.SystemRandom().randrange(10 ** 6))
    binaries = os.path.abspath(args.bin)
    if args.folder:
        sys.exit(not run_lab(args.lab, seed, binaries, args.folder))
    require('exabgp', 'bird', 'birdc', 'ip', 'vtysh', FRR + '/bgpd')
    print('L4WARD_FAULT_SEED=%s' % seed, flush=True)
    with scratch(args.keep) as folder:
        labs = range(LABS) if args.lab is None else [args.lab]
        processes = [subprocess.Popen(
            [sys.executable, __file__, '--bin', binaries, '--lab', str(number),
             '--folder', os.path.join(folder, 'lab%d' % number)],
            env=os.environ | {'L4WARD_FAULT_SEED': seed}) for number in labs]
        failed = [number for number, process in zip(labs, processes) if process.wait() != 0]
        if failed:
            sys.exit('failed: labs %s; L4WARD_FAULT_SEED=%s' % (failed, seed))


if __name__ == '__main__':
    main()
