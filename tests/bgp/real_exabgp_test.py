#!/usr/bin/python3
"""Relay, RelayLink and ExabgpProcess with the real ExaBGP and the real BIRD.

Two network namespaces joined by a veth pair: a node (bgp_driver as the agent, ExaBGP, relay) and a
router (BIRD). Needs root, exabgp, bird2 and iproute2. Run it as

    /usr/bin/python3 tests/bgp/real_exabgp_test.py --bin build/release
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HOLD = 4.0  # seconds that routes outlive the agent
COUNT = 500
USER = 'exabgp'

BIRD = '''
log "{dir}/bird.log" all;
router id 10.9.0.1;
protocol device {{ }}
protocol direct {{ ipv4; ipv6; }}
protocol kernel {{ ipv4 {{ export where source = RTS_BGP; }}; merge paths yes; }}
protocol kernel {{ ipv6 {{ export where source = RTS_BGP; }}; merge paths yes; }}
template bgp node {{
    local as 65000;
    passive yes;
    hold time 9;
    graceful restart yes;
}}
protocol bgp v4 from node {{
    neighbor 10.9.0.11 as 65001;
    ipv4 {{ import all; export none; }};
}}
protocol bgp v6 from node {{
    neighbor fd09::11 as 65001;
    ipv6 {{ import all; export none; }};
}}
'''


class Failure(Exception):
    """A promise that was not kept."""


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failure('%s: %s' % (' '.join(command), done.stdout))
    return done.stdout


def wait_for(what, condition, limit=10.0):
    """Polls until the condition holds; returns the seconds it took."""
    begin = time.monotonic()
    while not condition():
        if time.monotonic() - begin > limit:
            raise Failure('not within %.1f s: %s' % (limit, what))
        time.sleep(0.02)
    return time.monotonic() - begin


def check(condition, what):
    if not condition:
        raise Failure(what)


class Lab:
    """The two namespaces and BIRD."""

    def __init__(self, folder):
        self.folder = folder
        self.node = 'l4bgp-n%d' % os.getpid()
        self.router = 'l4bgp-r%d' % os.getpid()
        self.processes = []

    def start(self):
        for name in (self.node, self.router):
            run('ip', 'netns', 'add', name)
            run('ip', '-n', name, 'link', 'set', 'lo', 'up')
        run('ip', '-n', self.node, 'link', 'add', 'eth0', 'type', 'veth',
            'peer', 'name', 'eth0', 'netns', self.router)
        for name, last in ((self.router, '1'), (self.node, '11')):
            run('ip', '-n', name, 'address', 'add', '10.9.0.%s/24' % last, 'dev', 'eth0')
            run('ip', '-n', name, 'address', 'add', 'fd09::%s/64' % last, 'dev', 'eth0', 'nodad')
            run('ip', '-n', name, 'link', 'set', 'eth0', 'up')
        conf = os.path.join(self.folder, 'bird.conf')
        with open(conf, 'w') as out:
            out.write(BIRD.format(dir=self.folder))
        self.bird_socket = os.path.join(self.folder, 'bird.ctl')
        self.spawn(self.router, 'bird', '-f', '-c', conf, '-s', self.bird_socket)
        wait_for('BIRD runs', lambda: os.path.exists(self.bird_socket))

    def spawn(self, namespace, *command, **options):
        process = subprocess.Popen(('ip', 'netns', 'exec', namespace) + command, **options)
        self.processes.append(process)
        return process

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        for name in (self.node, self.router):
            subprocess.run(['ip', 'netns', 'delete', name], stderr=subprocess.DEVNULL)

    def birdc(self, *words):
        return run('birdc', '-s', self.bird_socket, *words)

    def count(self, protocol):
        found = re.search(r'(\d+) of \d+ routes', self.birdc(
            'show', 'route', 'protocol', protocol, 'count'))
        return int(found.group(1)) if found else 0

    def counts(self, number):
        return self.count('v4') == number and self.count('v6') == number

    def up(self):
        return all('Established' in self.birdc('show', 'protocols', name) for name in ('v4', 'v6'))

    def received(self):
        """BGP updates and withdrawals that BIRD has seen, also those that changed nothing."""
        total = []
        for name in ('v4', 'v6'):
            text = self.birdc('show', 'protocols', 'all', name)
            for kind in ('updates', 'withdraws'):
                total.append(int(re.search(r'Import %s:\s+(\d+)' % kind, text).group(1)))
        return total

    def restarting(self):
        """Whether BIRD still waits for the node's end-of-RIB."""
        return any('graceful restart active' in self.birdc('show', 'protocols', 'all', name) or
                   'Stale' in self.birdc('show', 'protocols', 'all', name)
                   for name in ('v4', 'v6'))


class Monitor:
    """Counts the routes that leave the router's kernel."""

    def __init__(self, lab):
        self.process = lab.spawn(lab.router, 'ip', 'monitor', 'route',
                                 stdout=subprocess.PIPE, text=True)
        self.deleted = 0
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            if line.startswith('Deleted') and ('198.51.' in line or 'fd51:' in line):
                self.deleted += 1


class Agent:
    """bgp_driver and what it said."""

    def __init__(self, lab, binaries, folder):
        self.process = lab.spawn(
            lab.node, os.path.join(binaries, 'bgp_driver'), folder,
            os.path.join(folder, 'l4ward-exabgp'), USER, str(int(HOLD * 1000)),
            '10.9.0.1,10.9.0.11', 'fd09::1,fd09::11',
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=open(os.path.join(folder, 'driver.log'), 'a'), text=True, bufsize=1)
        self.lines = []
        self.seen = 0
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append((time.monotonic(), line.strip()))

    def tell(self, command):
        self.seen = len(self.lines)
        self.process.stdin.write(command + '\n')

    def heard(self, start):
        return any(text.startswith(start) for _, text in self.lines[self.seen:])

    def expect(self, start, limit=10.0):
        try:
            return wait_for('agent hears "%s"' % start, lambda: self.heard(start), limit)
        except Failure as failure:
            raise Failure('%s; it heard %s' % (failure, [t for _, t in self.lines[-8:]]))

    def publish(self, count, med=100, limit=10.0):
        self.tell('publish %d %d' % (count, med))
        self.expect('generation', limit)
        generation = [t for _, t in self.lines[self.seen:] if t.startswith('generation')][0]
        self.expect(generation.replace('generation', 'synced'), limit)

    def exabgp(self):
        return int([t for _, t in self.lines if t.startswith('started')][-1].split()[1])

    def kill(self):
        self.process.kill()
        self.process.wait()


def children(pid):
    found = []
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            try:
                with open('/proc/%s/stat' % entry) as stat:
                    if int(stat.read().rsplit(')', 1)[1].split()[1]) == pid:
                        found.append(int(entry))
            except OSError:
                pass
    return found


class Trial:
    """The steps, each of which leaves COUNT routes a family standing."""

    def __init__(self, binaries, folder):
        self.binaries = binaries
        self.folder = folder
        self.lab = Lab(folder)
        self.exabgps = set()

    def new_agent(self):
        self.agent = Agent(self.lab, self.binaries, self.folder)
        self.agent.expect('started')
        self.exabgps.add(self.agent.exabgp())
        self.agent.expect('connected', 15)
        return self.agent

    def first_route(self):
        agent = self.new_agent()
        wait_for('both sessions', self.lab.up, 20)
        agent.publish(1, 77)
        begin = time.monotonic()
        wait_for('one route a family', lambda: self.lab.counts(1))
        for prefix in ('198.51.0.1/32', 'fd51::0:1/128'):
            text = self.lab.birdc('show', 'route', prefix, 'all')
            for wanted in ('BGP.med: 77', '(65001,80)', '(65001, 1, 2)'):
                check(wanted in text, '%s lacks %s: %s' % (prefix, wanted, text))
        return 'at BIRD %.0f ms after synced' % ((time.monotonic() - begin) * 1000)

    def many_routes(self):
        begin = time.monotonic()
        self.agent.publish(COUNT)
        wait_for('all routes', lambda: self.lab.counts(COUNT))
        return '2 x %d in %.2f s' % (COUNT, time.monotonic() - begin)

    def withdraw(self):
        self.agent.publish(COUNT - 1)
        wait_for('one route less', lambda: self.lab.counts(COUNT - 1))
        self.agent.publish(COUNT)
        wait_for('one route more', lambda: self.lab.counts(COUNT))

    def change_med(self):
        before = self.lab.received()
        self.agent.publish(COUNT, 300)
        wait_for('other MED', lambda: 'BGP.med: 300' in self.lab.birdc(
            'show', 'route', '198.51.0.1/32', 'all'))
        time.sleep(1)
        after = self.lab.received()
        check(after[1] == before[1] and after[3] == before[3], 'withdrawn: %s' % after)
        for family in (0, 2):
            check(after[family] - before[family] == COUNT, 'updates: %s, %s' % (before, after))

    def same_set(self):
        before = self.lab.received()
        self.agent.tell('publish %d 300' % COUNT)
        time.sleep(0.5)
        check(self.lab.received() == before, 'an unchanged set caused updates')

    def kill_relay(self):
        before = self.lab.received()
        self.agent.tell('')
        relay = children(self.agent.exabgp())[0]
        begin = time.monotonic()
        os.kill(relay, signal.SIGKILL)
        self.agent.expect('disconnected')
        self.agent.expect('connected %d' % (2 * COUNT))
        took = time.monotonic() - begin
        self.agent.expect('synced')
        time.sleep(1.5)
        check(self.lab.received() == before, 'updates: %s, %s' % (before, self.lab.received()))
        return 'connected again after %.0f ms' % (took * 1000)

    def kill_relay_at_work(self):
        self.agent.tell('publish 100 300')
        time.sleep(0.02)
        os.kill(children(self.agent.exabgp())[0], signal.SIGKILL)
        self.agent.expect('synced')
        wait_for('100 routes', lambda: self.lab.counts(100))
        self.agent.publish(COUNT, 300)
        wait_for('all routes', lambda: self.lab.counts(COUNT))

    def agent_back_in_time(self):
        before = self.lab.received()
        exabgp = self.agent.exabgp()
        self.agent.kill()
        time.sleep(HOLD / 2)
        agent = self.new_agent()
        check(agent.heard('started %d adopted' % exabgp), 'not adopted: %s' % agent.lines)
        check(agent.heard('connected %d' % (2 * COUNT)), 'standing: %s' % agent.lines)
        agent.publish(COUNT, 300)
        time.sleep(HOLD)
        check(self.lab.received() == before, 'updates: %s, %s' % (before, self.lab.received()))

    def agent_gone(self):
        self.agent.kill()
        begin = time.monotonic()
        wait_for('first withdrawal', lambda: self.lab.count('v4') < COUNT, HOLD + 3)
        first = time.monotonic() - begin
        wait_for('all withdrawn', lambda: self.lab.counts(0), 3)
        last = time.monotonic() - begin
        # The hold counts from the last heartbeat, at most a quarter of it before the death.
        check(HOLD * 3 / 4 - 0.5 <= first and last <= HOLD + 1, '%.1f…%.1f s' % (first, last))
        agent = self.new_agent()
        agent.publish(COUNT, 300)
        wait_for('all routes', lambda: self.lab.counts(COUNT))
        return 'withdrawn after %.1f…%.1f s of %.0f' % (first, last, HOLD)

    def kill_exabgp(self):
        monitor = Monitor(self.lab)
        time.sleep(0.3)
        self.agent.tell('')
        begin = time.monotonic()
        os.kill(self.agent.exabgp(), signal.SIGKILL)
        self.agent.expect('exited')
        self.agent.expect('started')
        self.exabgps.add(self.agent.exabgp())
        self.agent.expect('synced')
        self.agent.expect('session fd09::1 up', 15)
        wait_for('end of graceful restart', lambda: self.lab.up() and not self.lab.restarting())
        took = time.monotonic() - begin
        time.sleep(1)
        check(self.lab.counts(COUNT), 'routes are missing')
        check(monitor.deleted == 0, '%d routes left the kernel' % monitor.deleted)
        monitor.process.kill()
        return 'graceful restart took %.1f s' % took

    def kill_exabgp_and_change(self):
        monitor = Monitor(self.lab)
        time.sleep(0.3)
        self.agent.tell('publish %d 300' % COUNT)
        os.kill(self.agent.exabgp(), signal.SIGKILL)
        self.agent.expect('exited')
        self.agent.tell('publish %d 300' % (COUNT - 100))
        self.agent.expect('started')
        self.exabgps.add(self.agent.exabgp())
        took = wait_for('end-of-RIB removes stale routes',
                        lambda: self.lab.counts(COUNT - 100), 20)
        check(monitor.deleted == 200, '%d routes left the kernel' % monitor.deleted)
        monitor.process.kill()
        self.agent.publish(COUNT, 300)
        wait_for('all routes', lambda: self.lab.counts(COUNT))
        return 'stale ones gone after %.1f s' % took

    def kill_both(self):
        monitor = Monitor(self.lab)
        time.sleep(0.3)
        os.kill(self.agent.exabgp(), signal.SIGKILL)
        self.agent.kill()
        self.new_agent()  # publishes nothing
        took = wait_for('the recorded routes', lambda: self.agent.heard('session fd09::1 up'), 15)
        wait_for('end of graceful restart', lambda: self.lab.up() and not self.lab.restarting())
        time.sleep(1)
        check(self.lab.counts(COUNT), 'routes are missing')
        check(monitor.deleted == 0, '%d routes left the kernel' % monitor.deleted)
        monitor.process.kill()
        self.agent.publish(COUNT, 300)
        return 'sessions up after %.1f s' % took

    def session_flap(self):
        self.agent.tell('')
        self.lab.birdc('restart', 'v4')
        self.agent.expect('session 10.9.0.1 down')
        self.agent.expect('session 10.9.0.1 up', 20)
        wait_for('all routes', lambda: self.lab.counts(COUNT) and not self.lab.restarting())

    def change_while_down(self):
        self.agent.tell('')
        self.lab.birdc('disable', 'v4')
        self.agent.expect('session 10.9.0.1 down')
        self.agent.publish(COUNT, 400)
        self.agent.publish(COUNT, 500)
        self.agent.publish(COUNT - 1, 500)
        self.agent.tell('')
        self.lab.birdc('enable', 'v4')
        self.agent.expect('session 10.9.0.1 up', 20)
        wait_for('one route less', lambda: self.lab.counts(COUNT - 1))
        time.sleep(0.5)
        routes = self.lab.birdc('show', 'route', 'protocol', 'v4', 'all')
        check(routes.count('BGP.med: 500') == COUNT - 1,
              '%d of %d routes have the new MED' % (routes.count('BGP.med: 500'), COUNT - 1))
        self.agent.publish(COUNT, 500)
        wait_for('all routes', lambda: self.lab.counts(COUNT))

    def refused_config(self):
        self.agent.tell('broken')
        took = self.agent.expect('failed ExaBGP refuses', 16)
        check(self.lab.up() and self.lab.counts(COUNT), 'the old configuration does not go on')
        return 'refused after %.1f s' % took

    def reload(self):
        before = self.lab.received()
        monitor = Monitor(self.lab)
        time.sleep(0.3)
        exabgp = self.agent.exabgp()
        # An address where nobody listens: the other sessions must not notice.
        self.agent.tell('neighbor 10.9.0.7 10.9.0.11')
        time.sleep(3)
        self.agent.publish(COUNT, 500)
        check(self.agent.exabgp() == exabgp, 'ExaBGP was restarted')
        check(self.lab.up(), 'a session went down')
        check(monitor.deleted == 0, '%d routes left the kernel' % monitor.deleted)
        monitor.process.kill()
        after = self.lab.received()
        return 'BIRD received %s more' % [b - a for a, b in zip(before, after)]

    def stop(self):
        self.agent.tell('stop')
        self.agent.expect('stopped')
        check(not os.path.exists('/proc/%d' % self.agent.exabgp()), 'ExaBGP still runs')

    STEPS = (first_route, many_routes, withdraw, change_med, same_set, kill_relay,
             kill_relay_at_work, agent_back_in_time, agent_gone, kill_exabgp,
             kill_exabgp_and_change, kill_both, session_flap, change_while_down, refused_config,
             reload, stop)

    def run(self):
        self.lab.start()
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
        for pid in self.exabgps:
            try:
                with open('/proc/%d/cmdline' % pid) as cmdline:
                    if self.folder in cmdline.read():
                        os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        self.lab.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--bin', required=True, help='build folder')
    parser.add_argument('--keep', action='store_true', help='keep the logs')
    args = parser.parse_args()
    binaries = os.path.abspath(args.bin)
    missing = [name for name in ('exabgp', 'bird', 'birdc', 'ip') if not shutil.which(name)]
    if missing:
        sys.exit('missing: %s; run `make setup`' % ', '.join(missing))
    if os.geteuid() != 0:
        sys.exit('needs root, for network namespaces')
    folder = tempfile.mkdtemp(prefix='l4ward-bgp-')
    os.chmod(folder, 0o755)
    shutil.copy(os.path.join(binaries, 'l4ward-exabgp'), folder)
    os.mkdir(os.path.join(folder, 'relay'))
    shutil.chown(os.path.join(folder, 'relay'), USER)
    trial = Trial(binaries, folder)
    passed = False
    try:
        passed = trial.run()
    finally:
        trial.clean()
        if not passed or args.keep:
            print('logs are in', folder)
        else:
            shutil.rmtree(folder)
    sys.exit(0 if passed else 1)


if __name__ == '__main__':
    main()
