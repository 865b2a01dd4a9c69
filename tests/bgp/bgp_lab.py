"""The lab of the tests here: hosts (network namespaces) on one switch, and an agent to drive."""
import contextlib
import json
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
USER = 'exabgp'
ROUTER_AS = 65000
NODE_AS = 65001
ROUTER, NODE = 1, 11  # last parts of their addresses where there is one of each


class Failure(Exception):
    """A promise that was not kept."""


def run(*command, stdin=None):
    done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    if done.returncode != 0:
        raise Failure('%s: %s' % (' '.join(command), done.stdout))
    return done.stdout


def wait_for(what, condition, limit=60.0):
    """Polls until the condition holds; returns the seconds it took."""
    begin = time.monotonic()
    while not condition():
        if time.monotonic() - begin > limit:
            raise Failure('not within %.1f s: %s' % (limit, what() if callable(what) else what))
        time.sleep(0.02)
    return time.monotonic() - begin


def check(condition, what):
    if not condition:
        raise Failure(what)


def address(family, last):
    return ('192.0.2.%d' if family == 4 else '2001:db8::%d') % last


def family_of(text):
    return 6 if ':' in text else 4


def host_prefix(text):
    return text if '/' in text else '%s/%d' % (text, 128 if ':' in text else 32)


class Lab:
    """Hosts by name, with the last part of their addresses: {'r': 1} is 192.0.2.1, 2001:db8::1.

    The IPv6 prefix is a /112, so that the virtual IPs 2001:db8::c633:64xx are not on-link.
    """

    def __init__(self, folder, hosts, tag=''):
        self.folder = folder
        self.hosts = hosts
        self.tag = 'l4bgp-%d%s' % (os.getpid(), tag)
        self.processes = []

    def namespace(self, host):
        return '%s-%s' % (self.tag, host)

    def start(self):
        hub = self.namespace('hub')
        lines = ['netns add ' + self.namespace(name) for name in [*self.hosts, 'hub']]
        lines += ['link add eth0 netns %s type veth peer name %s netns %s' % (
            self.namespace(name), name, hub) for name in self.hosts]
        run('ip', '-batch', '-', stdin='\n'.join(lines) + '\n')
        lines = ['link add name br0 type bridge mcast_snooping 0', 'link set br0 up']
        lines += ['link set dev %s master br0 up' % name for name in self.hosts]
        run('ip', '-n', hub, '-batch', '-', stdin='\n'.join(lines) + '\n')
        for name, last in self.hosts.items():
            run('ip', '-n', self.namespace(name), '-batch', '-', stdin='\n'.join((
                'link set lo up', 'link set eth0 up',
                'address add %s/24 dev eth0' % address(4, last),
                'address add %s/112 dev eth0 nodad' % address(6, last))) + '\n')

    def spawn(self, host, *command, **options):
        # `ip netns exec` becomes the program, so the pid is the program's.
        process = subprocess.Popen(
            ('ip', 'netns', 'exec', self.namespace(host)) + command, **options)
        self.processes.append(process)
        return process

    def kernel_routes(self, host, protocol, pattern=r'198\.51\.|2001:db8::c633|fd51:'):
        """Prefix (with its length) to sorted next hops, of both families."""
        found = {}
        for family in ('-4', '-6'):
            text = run('ip', '-n', self.namespace(host), '-j', family, 'route', 'show', 'proto',
                       protocol)
            for route in json.loads(text or '[]'):
                if not re.match(pattern, route['dst']):
                    continue
                hops = [hop['gateway'] for hop in route.get('nexthops', [route])]
                found.setdefault(host_prefix(route['dst']), []).extend(hops)
        return {prefix: sorted(hops) for prefix, hops in found.items()}

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        for name in [*self.hosts, 'hub']:
            subprocess.run(['ip', 'netns', 'delete', self.namespace(name)], check=False,
                           stderr=subprocess.DEVNULL)


class Monitor:
    """The record of a host's kernel routes to virtual IPs: time, prefix, whether it is there. Sees
    all from its construction on."""

    def __init__(self, lab, host):
        self.process = lab.spawn(host, 'ip', 'monitor', 'route', stdout=subprocess.PIPE, text=True)
        self.events = []
        self._route = ('ip', '-n', lab.namespace(host), 'route')
        self._marks = 0         # made…
        self._seen = 0          # … and the last that was seen to go
        threading.Thread(target=self.read, daemon=True).start()
        # Its own first words would come too late to be waited for, so it is shown changes.
        wait_for('ip monitor listens', lambda: self._mark() and self._seen > 0)

    def _mark(self):
        """A route of ours comes and goes."""
        self._marks = self._marks % 254 + 1
        for verb in ('add', 'delete'):
            run(*self._route, verb, 'blackhole', '203.0.113.%d' % self._marks)
        return True

    def catch_up(self):
        """Waits until all that has happened by now is recorded; returns how many routes left."""
        self._mark()
        wait_for('ip monitor has caught up', lambda: self._seen == self._marks)
        return self.deleted

    def read(self):
        for line in self.process.stdout:
            now = time.monotonic()
            words = line.split()
            there = words[:1] != ['Deleted']
            mark = re.match(r'Deleted blackhole 203\.0\.113\.(\d+)', line)
            prefix = words[0 if there else 1] if len(words) > 1 else ''
            if mark:
                self._seen = int(mark.group(1))
            elif re.match(r'198\.51\.|2001:db8::c633|fd51:', prefix):
                self.events.append((now, host_prefix(prefix), there))

    @property
    def deleted(self):
        return sum(not there for _, _, there in self.events)

    def stop(self):
        self.process.kill()


class Agent:
    """bgp_driver and what it said. `peers`: its arguments after HOLD_MS. `listener` is called with
    each line and the time of it."""

    def __init__(self, lab, host, binaries, folder, peers, hold=HOLD, listener=None):
        self.process = lab.spawn(
            host, os.path.join(binaries, 'bgp_driver'), folder,
            os.path.join(folder, 'l4ward-exabgp'), USER, str(int(hold * 1000)), *peers,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=open(os.path.join(folder, 'driver.log'), 'a'), text=True, bufsize=1)
        self.lines = []
        self.seen = 0
        self.listener = listener
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            now, text = time.monotonic(), line.strip()
            self.lines.append((now, text))
            if self.listener:
                self.listener(now, text)

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
        """The first `count` prefixes, to all neighbors; waits for ExaBGP's acknowledgement."""
        self.publish_line('publish %d %d' % (count, med), limit)

    def routes(self, groups, limit=60.0):
        """Routes as bgp/route_json.h has them; waits for ExaBGP's acknowledgement."""
        self.publish_line('routes ' + json.dumps(groups), limit)

    def publish_line(self, line, limit):
        self.tell(line)
        self.expect('generation', limit)
        generation = [t for _, t in self.lines[self.seen:] if t.startswith('generation')][0]
        number = int(generation.split()[1])
        wait_for(lambda: 'synced %d; heard %s' % (number, [t for _, t in self.lines[-8:]]),
                 lambda: self.synced() >= number, limit)

    def synced(self):
        """The last generation that was acknowledged by ExaBGP."""
        return max((int(t.split()[1]) for _, t in self.lines if t.startswith('synced')), default=0)

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


def node_folder(parent, name, binaries):
    """Where a node keeps its files; ExaBGP's user reads the relay and writes its record."""
    folder = os.path.join(parent, name)
    os.makedirs(os.path.join(folder, 'relay'))
    shutil.copy(os.path.join(binaries, 'l4ward-exabgp'), folder)
    shutil.chown(os.path.join(folder, 'relay'), USER)
    return folder


def end_exabgp(folder, others=()):
    """SIGKILL for the ExaBGP that a node's agent left running, and for others of that folder."""
    pids = set(others)
    with contextlib.suppress(OSError, ValueError):
        with open(os.path.join(folder, 'exabgp.pid')) as record:
            pids.add(json.load(record)['pid'])
    for pid in pids:
        with contextlib.suppress(OSError):
            with open('/proc/%d/cmdline' % pid) as cmdline:
                if folder in cmdline.read():
                    os.kill(pid, signal.SIGKILL)


def require(*programs):
    """Ends with a message if a program is missing; becomes root where sudo lets us."""
    missing = [name for name in programs if not (
        os.access(name, os.X_OK) if name.startswith('/') else shutil.which(name))]
    if missing:
        sys.exit('missing: %s; run `make setup`' % ', '.join(missing))
    if os.geteuid() != 0:
        settings = ['%s=%s' % each for each in os.environ.items() if each[0].startswith('L4WARD_')]
        os.execvp('sudo', ['sudo', '-n', 'env', *settings, sys.executable, *sys.argv])


@contextlib.contextmanager
def scratch(keep):
    """A folder that all users may enter; it stays when the test did not end well."""
    folder = tempfile.mkdtemp(prefix='l4ward-bgp-')
    os.chmod(folder, 0o755)
    try:
        yield folder
    except BaseException:
        print('logs are in', folder)
        raise
    if keep:
        print('logs are in', folder)
    else:
        shutil.rmtree(folder)
