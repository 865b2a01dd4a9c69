"""The lab of real_exabgp_test.py: two network namespaces, BIRD, and an agent to drive."""
import os
import re
import subprocess
import threading
import time

HOLD = 4.0  # seconds that routes outlive the agent
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


def wait_for(what, condition, limit=60.0):
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

    def __init__(self, lab, binaries, folder, hold=HOLD):
        self.process = lab.spawn(
            lab.node, os.path.join(binaries, 'bgp_driver'), folder,
            os.path.join(folder, 'l4ward-exabgp'), USER, str(int(hold * 1000)),
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

    def expect(self, start, limit=60.0):
        try:
            return wait_for('agent hears "%s"' % start, lambda: self.heard(start), limit)
        except Failure as failure:
            raise Failure('%s; it heard %s' % (failure, [t for _, t in self.lines[-8:]]))

    def publish(self, count, med=100, limit=60.0):
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
