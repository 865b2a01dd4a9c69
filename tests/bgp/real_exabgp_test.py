#!/usr/bin/python3
"""Relay, RelayLink and ExabgpProcess with the real ExaBGP and the real BIRD.

Two network namespaces joined by a veth pair: a node (bgp_driver as the agent, ExaBGP, relay) and a
router (BIRD). Needs root, exabgp, bird2 and iproute2. Run it as

    /usr/bin/python3 tests/bgp/real_exabgp_test.py --bin build/release
"""
import argparse
import os
import signal
import sys
import threading
import time

from bgp_lab import (HOLD, NODE, ROUTER, Agent, Failure, Lab, Monitor, address, check, children,
                     end_exabgp, node_folder, require, scratch, wait_for)
from bgp_routers import Bird, bird_config

# Routes a family. More make ExaBGP's own slowness under emulation the subject of the test.
COUNT = 100
FEWER = 20

PEERS = {'v4': (address(4, ROUTER), address(4, NODE)),
         'v6': (address(6, ROUTER), address(6, NODE))}

BIRD = bird_config(9, 'graceful restart yes;')


class Trial:
    """The steps, each of which leaves COUNT routes a family standing."""

    NAME = 'l4ward starts ExaBGP'
    SETTINGS = ()

    def __init__(self, binaries, folder):
        self.binaries = binaries
        self.lab = Lab(folder, {'r': ROUTER, 'n': NODE})
        self.folder = node_folder(folder, 'n', binaries)
        self.router = Bird(self.lab, 'r', BIRD)
        self.agent = None
        self.exabgps = set()

    def counts(self, number):
        return all(self.router.count(name) == number for name in PEERS)

    def back(self):
        """The sessions are up, and BIRD does not wait for the node's end-of-RIB."""
        return self.router.established() and self.router.settled()

    def new_agent(self, hold=HOLD):
        self.agent = Agent(self.lab, 'n', self.binaries, self.folder,
                           [*self.SETTINGS, *map(','.join, PEERS.values())], hold)
        self.agent.expect('started')
        self.exabgps.add(self.agent.exabgp())
        self.agent.expect('connected')
        return self.agent

    def nothing_since(self, before):
        now = self.router.received()
        check(now == before, 'updates: %s, %s' % (before, now))

    def first_route(self):
        agent = self.new_agent()
        wait_for('both sessions', self.router.established)
        agent.publish(1, 77)
        begin = time.monotonic()
        wait_for('one route a family', lambda: self.counts(1))
        for prefix in ('198.51.0.1/32', 'fd51::0:1/128'):
            text = self.router.ask('show', 'route', prefix, 'all')
            for wanted in ('BGP.med: 77', '(65001,80)', '(65001, 1, 2)'):
                check(wanted in text, '%s lacks %s: %s' % (prefix, wanted, text))
        return 'at BIRD %.0f ms after synced' % ((time.monotonic() - begin) * 1000)

    def many_routes(self):
        begin = time.monotonic()
        self.agent.publish(COUNT)
        wait_for('all routes', lambda: self.counts(COUNT))
        return '2 x %d in %.2f s' % (COUNT, time.monotonic() - begin)

    def withdraw(self):
        self.agent.publish(COUNT - 1)
        wait_for('one route less', lambda: self.counts(COUNT - 1))
        self.agent.publish(COUNT)
        wait_for('one route more', lambda: self.counts(COUNT))

    def change_med(self):
        before = self.router.received()
        self.agent.publish(COUNT, 300)
        wait_for('other MED', lambda: 'BGP.med: 300' in self.router.ask(
            'show', 'route', '198.51.0.1/32', 'all'))
        time.sleep(1)
        after = self.router.received()
        check(after[1] == before[1] and after[3] == before[3], 'withdrawn: %s' % after)
        for family in (0, 2):
            check(after[family] - before[family] == COUNT, 'updates: %s, %s' % (before, after))

    def same_set(self):
        before = self.router.received()
        self.agent.tell('publish %d 300' % COUNT)
        time.sleep(0.5)
        check(self.router.received() == before, 'an unchanged set caused updates')

    def kill_relay(self):
        before = self.router.received()
        self.agent.tell('')
        relay = children(self.agent.exabgp())[0]
        begin = time.monotonic()
        os.kill(relay, signal.SIGKILL)
        self.agent.expect('disconnected')
        self.agent.expect('connected %d' % (2 * COUNT))
        took = time.monotonic() - begin
        self.agent.expect('synced')
        time.sleep(1.5)
        self.nothing_since(before)
        return 'connected again after %.0f ms' % (took * 1000)

    def kill_relay_at_work(self):
        self.agent.tell('publish %d 300' % FEWER)
        time.sleep(0.02)
        os.kill(children(self.agent.exabgp())[0], signal.SIGKILL)
        self.agent.expect('synced')
        wait_for('fewer routes', lambda: self.counts(FEWER))
        self.agent.publish(COUNT, 300)
        wait_for('all routes', lambda: self.counts(COUNT))

    def agent_back_in_time(self):
        before = self.router.received()
        exabgp = self.agent.exabgp()
        self.agent.kill()
        time.sleep(HOLD / 2)
        agent = self.new_agent()
        check(agent.heard('started %d adopted' % exabgp), 'not adopted: %s' % agent.lines)
        check(agent.heard('connected %d' % (2 * COUNT)), 'standing: %s' % agent.lines)
        agent.publish(COUNT, 300)
        time.sleep(HOLD)
        self.nothing_since(before)

    def agent_gone(self):
        self.agent.kill()
        begin = time.monotonic()
        wait_for('first withdrawal', lambda: self.router.count('v4') < COUNT, HOLD + 3)
        first = time.monotonic() - begin
        wait_for('all withdrawn', lambda: self.counts(0))
        last = time.monotonic() - begin
        # The hold counts from the last heartbeat, at most a quarter of it before the death.
        check(HOLD * 3 / 4 - 0.5 <= first, '%.1f…%.1f s' % (first, last))
        agent = self.new_agent()
        agent.publish(COUNT, 300)
        wait_for('all routes', lambda: self.counts(COUNT))
        return 'withdrawn after %.1f…%.1f s of %.0f' % (first, last, HOLD)

    def kill_exabgp(self):
        monitor = Monitor(self.lab, 'r')
        self.agent.tell('')
        begin = time.monotonic()
        os.kill(self.agent.exabgp(), signal.SIGKILL)
        self.agent.expect('exited')
        self.agent.expect('started')
        self.exabgps.add(self.agent.exabgp())
        self.agent.expect('synced')
        self.agent.expect('session %s up' % PEERS['v6'][0])
        wait_for('end of graceful restart', lambda: self.back())
        took = time.monotonic() - begin
        time.sleep(1)
        check(self.counts(COUNT), 'routes are missing')
        check(monitor.catch_up() == 0, '%d routes left the kernel' % monitor.deleted)
        monitor.stop()
        return 'graceful restart took %.1f s' % took

    def kill_exabgp_and_change(self):
        monitor = Monitor(self.lab, 'r')
        self.agent.tell('publish %d 300' % COUNT)
        os.kill(self.agent.exabgp(), signal.SIGKILL)
        self.agent.expect('exited')
        self.agent.tell('publish %d 300' % (COUNT - FEWER))
        self.agent.expect('started')
        self.exabgps.add(self.agent.exabgp())
        took = wait_for('end-of-RIB removes stale routes',
                        lambda: self.counts(COUNT - FEWER))
        # BIRD tells the kernel later than it tells us.
        wait_for('the kernel has lost them, too', lambda: monitor.deleted >= 2 * FEWER)
        check(monitor.catch_up() == 2 * FEWER, '%d routes left the kernel' % monitor.deleted)
        monitor.stop()
        self.agent.publish(COUNT, 300)
        wait_for('all routes', lambda: self.counts(COUNT))
        return 'stale ones gone after %.1f s' % took

    def kill_both(self):
        # ExaBGP's restart must fit into the hold time, also under emulation.
        self.agent.kill()
        self.new_agent(hold=60).publish(COUNT, 300)
        monitor = Monitor(self.lab, 'r')
        os.kill(self.agent.exabgp(), signal.SIGKILL)
        self.agent.kill()
        self.new_agent(hold=60)  # publishes nothing
        took = wait_for('the recorded routes',
                        lambda: self.agent.heard('session %s up' % PEERS['v6'][0]))
        wait_for('end of graceful restart', lambda: self.back())
        time.sleep(1)
        check(self.counts(COUNT), 'routes are missing')
        check(monitor.catch_up() == 0, '%d routes left the kernel' % monitor.deleted)
        monitor.stop()
        self.agent.publish(COUNT, 300)
        return 'sessions up after %.1f s' % took

    def session_flap(self):
        self.agent.tell('')
        self.router.ask('restart', 'v4')
        self.agent.expect('session %s down' % PEERS['v4'][0])
        self.agent.expect('session %s up' % PEERS['v4'][0])
        wait_for('all routes', lambda: self.counts(COUNT) and self.router.settled())

    def change_while_down(self):
        self.agent.tell('')
        self.router.ask('disable', 'v4')
        self.agent.expect('session %s down' % PEERS['v4'][0])
        self.agent.publish(COUNT, 400)
        self.agent.publish(COUNT, 500)
        self.agent.publish(COUNT - 1, 500)
        self.agent.tell('')
        self.router.ask('enable', 'v4')
        self.agent.expect('session %s up' % PEERS['v4'][0])
        wait_for('one route less', lambda: self.counts(COUNT - 1))
        time.sleep(0.5)
        routes = self.router.ask('show', 'route', 'protocol', 'v4', 'all')
        check(routes.count('BGP.med: 500') == COUNT - 1,
              '%d of %d routes have the new MED' % (routes.count('BGP.med: 500'), COUNT - 1))
        self.agent.publish(COUNT, 500)
        wait_for('all routes', lambda: self.counts(COUNT))

    def refused_config(self):
        self.agent.tell('broken')
        took = self.agent.expect('failed ExaBGP refuses')
        check(self.router.established() and self.counts(COUNT), 'the old one does not go on')
        return 'refused after %.1f s' % took

    def reload(self):
        before = self.router.received()
        monitor = Monitor(self.lab, 'r')
        exabgp = self.agent.exabgp()
        # An address where nobody listens: the other sessions must not notice.
        self.agent.tell('neighbor %s %s' % (address(4, 7), address(4, NODE)))
        time.sleep(3)
        self.agent.publish(COUNT, 500)
        check(self.agent.exabgp() == exabgp, 'ExaBGP was restarted')
        check(self.router.established(), 'a session went down')
        check(monitor.catch_up() == 0, '%d routes left the kernel' % monitor.deleted)
        monitor.stop()
        after = self.router.received()
        return 'BIRD received %s more' % [b - a for a, b in zip(before, after)]

    def stop(self):
        self.agent.tell('stop')
        self.agent.expect('stopped')
        check(not os.path.exists('/proc/%d' % self.agent.exabgp()), 'ExaBGP still runs')

    STEPS = (first_route, many_routes, withdraw, change_med, same_set, kill_relay,
             kill_relay_at_work, agent_back_in_time, agent_gone, kill_exabgp,
             kill_exabgp_and_change, kill_both, session_flap, change_while_down, refused_config,
             reload, stop)

    def start(self):
        self.lab.start()
        self.router.start()

    def run(self):
        self.start()
        for step in self.STEPS:
            begin = time.monotonic()
            try:
                note = step(self)
            except Failure as failure:
                print('FAILED %s: %s' % (step.__name__, failure))
                return False
            print('ok %-24s %5.1f s  %s' % (step.__name__, time.monotonic() - begin, note or ''),
                  flush=True)
        return True

    def clean(self):
        if self.agent:
            self.agent.kill()  # first, or it would start ExaBGP again
        end_exabgp(self.folder, self.exabgps)
        self.lab.stop()


class ServiceTrial(Trial):
    """ExaBGP is a service of its own, started and started again as systemd does."""

    NAME = 'ExaBGP is a service'
    SETTINGS = ('service=1',)

    def __init__(self, binaries, folder):
        super().__init__(binaries, folder)
        self.ends = threading.Event()
        self.manager = threading.Thread(target=self.keep_running, daemon=True)

    def keep_running(self):
        with open(os.path.join(self.folder, 'exabgp.log'), 'a') as log:
            while not self.ends.is_set():
                self.lab.spawn('n', os.path.join(self.folder, 'l4ward-exabgp'), '--run-exabgp',
                               self.folder, stdout=log, stderr=log).wait()

    def start(self):
        super().start()
        self.manager.start()

    def stop(self):
        """The agent ends without routes, and ExaBGP goes on."""
        exabgp = self.agent.exabgp()
        self.agent.publish(0)
        self.agent.kill()
        wait_for('no routes', lambda: self.counts(0))
        check(self.router.established(), 'the sessions have ended')
        check(os.path.exists('/proc/%d' % exabgp), 'ExaBGP has ended')

    STEPS = (Trial.first_route, Trial.many_routes, Trial.change_med, Trial.agent_back_in_time,
             Trial.kill_exabgp, Trial.refused_config, Trial.reload, stop)

    def clean(self):
        self.ends.set()
        super().clean()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--bin', required=True, help='build folder')
    parser.add_argument('--keep', action='store_true', help='keep the logs')
    args = parser.parse_args()
    require('exabgp', 'bird', 'birdc', 'ip')
    for kind in (Trial, ServiceTrial):
        with scratch(args.keep) as folder:
            print(kind.NAME, flush=True)
            trial = kind(os.path.abspath(args.bin), folder)
            try:
                if not trial.run():
                    sys.exit(1)
            finally:
                trial.clean()


if __name__ == '__main__':
    main()
