"""The routers of the tests here, each on a host of its own: BIRD, FRR and GoBGP."""
import dataclasses
import json
import os
import re
import shutil

from bgp_lab import (NODE, NODE_AS, ROUTER, ROUTER_AS, Failure, address, check, family_of, run,
                     wait_for)

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../docs/routers.md')
FRR = '/usr/lib/frr'
WELL_KNOWN = {'gracefulShutdown': '65535:0', 'graceful-shutdown': '65535:0'}


@dataclasses.dataclass(frozen=True)
class Path:
    """A route as a router learned it; communities as config/site.h writes them."""
    next_hop: str
    med: int | None = None
    local_pref: int | None = None
    as_path: tuple = ()
    communities: frozenset = frozenset()
    large: frozenset = frozenset()
    extended: frozenset = frozenset()


def documented(name):
    """The configuration that docs/routers.md shows under that name."""
    with open(DOCS) as docs:
        found = re.findall(r'^```%s\n(.*?)^```$' % name, docs.read(), re.M | re.S)
    check(len(found) == 1, 'docs/routers.md has %d blocks "%s"' % (len(found), name))
    return found[0]


def bird_config(hold_time, *settings):
    """BIRD's, towards the one node, with these settings of its sessions."""
    protocols = ''.join(f'''
protocol bgp v{family} from node {{
    neighbor {address(family, NODE)} as {NODE_AS};
    ipv{family} {{ import all; export none; }};
}}''' for family in (4, 6))
    return f'''
router id {address(4, ROUTER)};
protocol device {{ }}
protocol kernel {{ ipv4 {{ export where source = RTS_BGP; }}; merge paths yes; }}
protocol kernel {{ ipv6 {{ export where source = RTS_BGP; }}; merge paths yes; }}
template bgp node {{
    local as {ROUTER_AS};
    passive yes;
    hold time {hold_time};
    {' '.join(settings)}
}}{protocols}
'''


class Router:
    """`proto`: whose routes these are in the kernel; empty: it has none there."""
    proto = ''

    def __init__(self, lab, host, config):
        self.lab, self.host = lab, host
        self.folder = os.path.join(lab.folder, host)
        os.makedirs(self.folder)
        self.process = None             # the one that speaks BGP
        self.write(config)

    def write(self, config):
        with open(self.path('conf'), 'w') as out:
            out.write(config)

    def path(self, name):
        return os.path.join(self.folder, name)

    def spawn(self, *command):
        return self.lab.spawn(self.host, *command, stderr=open(self.path('errors'), 'a'),
                              stdout=open(self.path('output'), 'a'))

    def start(self):
        """Starts what speaks BGP, also again; returns when it can be asked."""
        self.process = self.launch()
        wait_for('%s on %s' % (type(self).__name__, self.host), self.ready)

    def launch(self):
        raise NotImplementedError

    def ready(self):
        try:
            return bool(self.sessions())
        except (Failure, ValueError, KeyError):     # whatever it says before it is there
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def sessions(self):
        """For each neighbor's address, whether the session is established."""
        raise NotImplementedError

    def paths(self, prefix):
        raise NotImplementedError

    def established(self, *addresses):
        """All sessions, or those with these addresses."""
        sessions = self.sessions()
        return all(sessions.get(each) for each in addresses or sessions)

    def kernel_routes(self):
        return self.lab.kernel_routes(self.host, self.proto)


class Bird(Router):
    proto = 'bird'

    def launch(self):
        return self.spawn('bird', '-f', '-c', self.path('conf'), '-s', self.path('control'))

    def ask(self, *words):
        return run('birdc', '-s', self.path('control'), *words)

    def start(self):
        if os.path.exists(self.path('control')):
            os.unlink(self.path('control'))
        super().start()

    def sessions(self):
        found, state = {}, ''
        for line in self.ask('show', 'protocols', 'all').splitlines():
            key, _, value = line.strip().partition(':')
            if key == 'BGP state':
                state = value.strip()
            elif key == 'Neighbor address':
                found[value.split('%')[0].strip()] = state == 'Established'
        return found

    def names(self):
        """Names of the sessions."""
        return [line.split()[0] for line in self.ask('show', 'protocols').splitlines()
                if len(line.split()) > 1 and line.split()[1] == 'BGP']

    def reset(self):
        for name in self.names():
            self.ask('restart', name)

    def disable(self, enabled=False):
        for name in self.names():
            self.ask('enable' if enabled else 'disable', name)

    def settled(self):
        """No session waits for a node's end-of-RIB."""
        text = self.ask('show', 'protocols', 'all')
        return 'graceful restart active' not in text and 'Stale' not in text

    def paths(self, prefix):
        # `for` would be another question; a prefix that is unknown is an error of birdc's.
        text = self.ask('show', 'route', 'all', 'where', 'net', '=', prefix)
        return [self.path_of(block) for block in text.split('unicast [')[1:]]

    @staticmethod
    def path_of(block):
        values = dict(re.findall(r'BGP\.(\w+): *(.*)', block))

        def number(name):
            return int(values[name]) if name in values else None

        def tuples(name):
            return [tuple(re.split(r',\s*', each)) for each in
                    re.findall(r'\(([^)]*)\)', values.get(name, ''))]

        kinds = {'rt': 'target', 'ro': 'origin'}
        return Path(values['next_hop'].split()[0], number('med'), number('local_pref'),
                    tuple(map(int, values.get('as_path', '').split())),
                    frozenset(':'.join(each) for each in tuples('community')),
                    frozenset(':'.join(each) for each in tuples('large_community')),
                    frozenset(':'.join((kinds.get(each[0], each[0]), *each[1:]))
                              for each in tuples('ext_community')))

    def received(self):
        """Updates and withdrawals that it has seen, also those that changed nothing."""
        total = []
        for name in self.names():
            text = self.ask('show', 'protocols', 'all', name)
            for kind in ('updates', 'withdraws'):
                total.append(int(re.search(r'Import %s:\s+(\d+)' % kind, text).group(1)))
        return total

    def count(self, session):
        found = re.search(r'(\d+) of \d+ routes', self.ask(
            'show', 'route', 'protocol', session, 'count'))
        return int(found.group(1)) if found else 0


class Frr(Router):
    """zebra and bgpd; it is bgpd that is killed and started again."""
    proto = 'bgp'

    def __init__(self, lab, host, config):
        super().__init__(lab, host, config)
        self.zebra = None
        open(self.path('zebra.conf'), 'w').close()
        for name in ('', 'conf', 'zebra.conf'):
            shutil.chown(self.path(name), 'frr', 'frr')

    def daemon(self, name, conf):
        return self.spawn('%s/%s' % (FRR, name), '-f', self.path(conf),
                          '-i', self.path(name + '.pid'), '-z', self.path('zserv.api'),
                          '--vty_socket', self.folder, '-P', '0',
                          '--log', 'file:' + self.path(name + '.log'))

    def start(self):
        if not self.zebra:
            self.zebra = self.daemon('zebra', 'zebra.conf')
            wait_for('zebra', lambda: os.path.exists(self.path('zserv.api')))
        super().start()

    def launch(self):
        return self.daemon('bgpd', 'conf')

    def ask(self, *commands):
        words = [word for command in commands for word in ('-c', command)]
        return run('vtysh', '--vty_socket', self.folder, '-d', 'bgpd', *words)

    def sessions(self):
        summary = json.loads(self.ask('show bgp summary json'))
        return {peer: state['state'] == 'Established' for family in summary.values()
                for peer, state in family['peers'].items()}

    def reset(self):
        self.ask('clear bgp *')

    def disable(self, enabled=False):
        lines = ['%sneighbor %s shutdown' % ('no ' if enabled else '', peer)
                 for peer in self.sessions()]
        self.ask('configure terminal', 'router bgp', *lines)

    def settled(self):
        return not any(path.get('stale') for family in (4, 6)
                       for paths in self.table(family).values() for path in paths)

    def table(self, family):
        return json.loads(self.ask('show bgp ipv%d unicast json' % family)).get('routes', {})

    def paths(self, prefix):
        text = self.ask('show bgp ipv%d unicast %s json' % (family_of(prefix), prefix))
        return [self.path_of(path) for path in json.loads(text).get('paths', [])]

    @staticmethod
    def path_of(path):
        def words(name):
            return [WELL_KNOWN.get(word, word) for word in
                    path.get(name, {}).get('string', '').split()]

        kinds = {'RT': 'target', 'SoO': 'origin'}
        return Path(path['nexthops'][0]['ip'], path.get('metric'), path.get('locPrf'),
                    tuple(map(int, path['aspath']['string'].split()))
                    if path['aspath']['string'] != 'Local' else (),
                    frozenset(words('community')), frozenset(words('largeCommunity')),
                    frozenset('%s:%s' % (kinds.get(kind, kind), rest) for kind, _, rest in
                              (word.partition(':') for word in words('extendedCommunity'))))


class Gobgp(Router):
    """A route reflector: it has no routes in the kernel."""

    def launch(self):
        return self.spawn('gobgpd', '-t', 'yaml', '-f', self.path('conf'), '-p',
                          '--api-hosts', '127.0.0.1:50051', '--pprof-disable')

    def ask(self, *words):
        return run('ip', 'netns', 'exec', self.lab.namespace(self.host), 'gobgp', '-j', *words)

    def sessions(self):
        return {peer['state']['neighbor_address']: peer['state'].get('session_state') == 6
                for peer in json.loads(self.ask('neighbor'))}

    def paths(self, prefix):
        table = json.loads(self.ask('global', 'rib', '-a', 'ipv%d' % family_of(prefix)) or '{}')
        return [self.path_of(path) for path in table.get(prefix, [])]

    @staticmethod
    def path_of(path):
        by_type = {each['type']: each for each in path['attrs']}

        def values(kind, name):
            return by_type.get(kind, {}).get(name) or []

        subtypes = {2: 'target', 3: 'origin'}
        return Path(by_type.get(3, by_type.get(14))['nexthop'],
                    by_type.get(4, {}).get('metric'), by_type.get(5, {}).get('value'),
                    tuple(number for part in values(2, 'as_paths') for number in part['asns']),
                    frozenset('%d:%d' % divmod(each, 65536) for each in values(8, 'communities')),
                    frozenset('%d:%d:%d' % (each['ASN'], each['LocalData1'], each['LocalData2'])
                              for each in values(32, 'value')),
                    frozenset('%s:%s' % (subtypes.get(each['subtype'], each['subtype']),
                                         each['value']) for each in values(16, 'value')))
