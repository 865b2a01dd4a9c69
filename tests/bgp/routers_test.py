#!/usr/bin/python3
"""BIRD, FRR and GoBGP, configured as docs/routers.md says, with two nodes.

Hosts (network namespaces) on one switch: two nodes (bgp_driver, relay, ExaBGP), a BIRD and an FRR
that they speak eBGP with, and GoBGP, a route reflector, with a BIRD and an FRR behind it. Needs
root. Run it as

    /usr/bin/python3 tests/bgp/routers_test.py --bin build/release
"""
import argparse
import dataclasses
import os
import sys
import time
import traceback

from bgp_lab import (NODE_AS, ROUTER_AS, Agent, Failure, Lab, address, check, end_exabgp,
                     family_of, node_folder, require, scratch, wait_for)
from bgp_routers import FRR, Bird, Frr, Gobgp, Path, documented

HOSTS = {'bird': 1, 'frr': 2, 'gobgp': 3, 'bird-client': 4, 'frr-client': 5, 'n1': 11, 'n2': 12}
VIPS = {4: ['198.51.100.%d/32' % i for i in range(1, 6)],
        6: ['2001:db8::c633:64%02x/128' % i for i in range(1, 6)]}
HOLD = 30.0
SOON = 20.0
EXTERNAL = ('bird', 'frr')          # routers with eBGP to the nodes
CLIENTS = ('bird-client', 'frr-client')
ATTRIBUTES = {'med': 77, 'communities': ['65001:80', '65001:443'],
              'large_communities': ['65001:1:2'],
              'extended_communities': ['target:65001:80', 'origin:65001:7']}


@dataclasses.dataclass
class Node:
    name: str
    folder: str
    agent: Agent

    def of(self, family):
        return address(family, HOSTS[self.name])


class Site:
    """The lab with all routers and nodes. `ibgp`: the nodes are in the routers' AS, and speak with
    the reflector; else with the two external routers. `session`: options of the nodes' sessions, in
    the driver's words. `edit`: changes the routers' documented configurations."""

    def __init__(self, folder, binaries, ibgp=False, session='password=s3cret,ttl=1',
                 edit=lambda name, text: text):
        os.makedirs(folder)
        self.lab = Lab(folder, HOSTS)
        self.folder, self.binaries = folder, binaries
        self.ibgp, self.session = ibgp, session
        kinds = {'gobgp': Gobgp, 'bird-client': Bird, 'frr-client': Frr} if ibgp else {
            'bird': Bird, 'frr': Frr}
        self.routers = {name: kind(self.lab, name, edit(name, documented(name)))
                        for name, kind in kinds.items()}
        self.speakers = ('gobgp',) if ibgp else EXTERNAL      # whom the nodes speak with
        self.nodes = []

    def __enter__(self):
        try:
            self.lab.start()
            for router in self.routers.values():        # the reflector before its clients
                router.start()
            for name in ('n1', 'n2'):
                folder = node_folder(self.folder, name, self.binaries)
                self.nodes.append(Node(name, folder, Agent(
                    self.lab, name, self.binaries, folder, self.arguments(name), HOLD)))
            for node in self.nodes:
                node.agent.expect('connected')
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for node in self.nodes:
            node.agent.kill()
            end_exabgp(node.folder)
        self.lab.stop()

    def arguments(self, node):
        own_as = ROUTER_AS if self.ibgp else NODE_AS
        return ['as=%d,graceful=30' % own_as] + [
            '%s,%s,as=%d,hold=9,%s' % (address(family, HOSTS[router]),
                                       address(family, HOSTS[node]), ROUTER_AS, self.session)
            for router in self.speakers for family in (4, 6)]

    def wait_established(self):
        for router in self.routers.values():
            wait_for(lambda r=router: 'sessions of %s: %s' % (r.host, r.sessions()),
                     router.established, SOON)

    def publish(self, node, prefixes, **attributes):
        """Announces just these prefixes, all with these attributes, to the neighbors."""
        groups = []
        for router in self.speakers:
            for family in (4, 6):
                chosen = [prefix for prefix in prefixes if family_of(prefix) == family]
                if chosen:
                    groups.append({'neighbor': address(family, HOSTS[router]),
                                   'next_hop': node.of(family), 'prefixes': chosen} | attributes)
        node.agent.routes(groups)

    def wait_kernel(self, wanted, routers=None):
        """Each router's kernel has just these routes: prefix to the nodes it goes to."""
        hops = {prefix: sorted(node.of(family_of(prefix)) for node in nodes)
                for prefix, nodes in wanted.items() if nodes}
        for router in routers or [r for r in self.routers.values() if r.proto]:
            wait_for(lambda r=router: 'in the kernel of %s: %s; it has %s' % (
                r.host, hops, r.kernel_routes()), lambda r=router: r.kernel_routes() == hops, SOON)

    def paths(self, router, prefix, node):
        """What that router learned of that prefix from that node."""
        return [path for path in self.routers[router].paths(prefix)
                if path.next_hop == node.of(family_of(prefix))]


def everything(nodes):
    return {prefix: nodes for family in VIPS.values() for prefix in family}


def all_vips(count=5):
    return [prefix for family in VIPS.values() for prefix in family[:count]]


def expected(node, prefix, **changes):
    """What a router should learn when a node announces with ATTRIBUTES."""
    return dataclasses.replace(Path(
        node.of(family_of(prefix)), 77, None, (NODE_AS,), frozenset(ATTRIBUTES['communities']),
        frozenset(ATTRIBUTES['large_communities']),
        frozenset(ATTRIBUTES['extended_communities'])), **changes)


def check_paths(site, node, routers, attributes, **changes):
    """All of what a node says about a route arrives at these routers, and nothing else."""
    site.publish(node, all_vips(), **(ATTRIBUTES | attributes))
    for router in routers:
        for prefix in (VIPS[4][0], VIPS[6][0]):
            wanted = [expected(node, prefix, **changes)]

            def seen(router=router, prefix=prefix):
                found = site.paths(router, prefix, node)
                if 'local_pref' not in changes:     # each router's own default
                    found = [dataclasses.replace(path, local_pref=None) for path in found]
                return found

            wait_for(lambda r=router, s=seen, w=wanted: '%s at %s: %s' % (w, r, s()),
                     lambda s=seen, w=wanted: s() == w, SOON)


def ebgp(site):
    """eBGP with MD5 and TTL security"""
    first, second = site.nodes
    site.wait_established()

    # ECMP, and one node alone.
    for node in site.nodes:
        site.publish(node, all_vips())
    site.wait_kernel(everything([first, second]))
    site.publish(second, all_vips(2))
    site.wait_kernel(everything([first]) | dict.fromkeys(all_vips(2), [first, second]))
    site.publish(first, [])
    site.wait_kernel(dict.fromkeys(all_vips(2), [second]))

    # What a node has no business with stays out.
    site.publish(first, [*all_vips(), '203.0.113.7/32', '198.51.100.0/24', '2001:db8:7::1/128'])
    site.wait_kernel(everything([first]) | dict.fromkeys(all_vips(2), [first, second]))
    for router in EXTERNAL:
        for prefix in ('203.0.113.7/32', '198.51.100.0/24', '2001:db8:7::1/128'):
            check(not site.routers[router].paths(prefix), '%s has %s' % (router, prefix))

    # Attributes, as they are and changed.
    site.publish(second, [])
    check_paths(site, first, EXTERNAL, {})
    check_paths(site, first, EXTERNAL, {'med': 78}, med=78)
    check_paths(site, first, EXTERNAL, {'communities': ['65001:81']},
                communities=frozenset(['65001:81']))
    check_paths(site, first, EXTERNAL, {'as_path': [NODE_AS] * 4}, as_path=(NODE_AS,) * 4)
    # Local preference is for the own AS only.
    check_paths(site, first, EXTERNAL, {'local_preference': 7})

    # Other attributes than the other node's: a last resort. Alone it is as good as any.
    for attributes in ({'med': 4294967294}, {'as_path': [NODE_AS] * 4}, {
            'communities': ['65535:0']}):
        site.publish(first, all_vips())
        site.publish(second, all_vips())
        site.wait_kernel(everything([first, second]))
        site.publish(first, all_vips(), **attributes)
        site.wait_kernel(everything([second]))
        site.publish(second, [])
        site.wait_kernel(everything([first]))


def ibgp(site):
    """iBGP to a GoBGP reflector with add-path, BIRD and FRR behind it"""
    first, second = site.nodes
    site.wait_established()
    for node in site.nodes:
        site.publish(node, all_vips())
    site.wait_kernel(everything([first, second]))
    site.publish(second, all_vips(2))
    site.wait_kernel(everything([first]) | dict.fromkeys(all_vips(2), [first, second]))
    site.publish(second, all_vips())
    site.wait_kernel(everything([first, second]))
    site.publish(first, [])
    site.wait_kernel(everything([second]))

    site.publish(second, [])
    site.wait_kernel({})
    routers = ('gobgp', *CLIENTS)
    check_paths(site, first, routers, {'local_preference': 150}, as_path=(), local_pref=150)
    check_paths(site, first, routers, {'med': 5, 'local_preference': 7}, as_path=(), med=5,
                local_pref=7)
    # Over iBGP the local preference makes the last resort.
    site.publish(second, all_vips(), local_preference=100)
    site.wait_kernel(everything([second]))
    site.publish(first, all_vips(), local_preference=100)
    site.wait_kernel(everything([first, second]))


def passive(site):
    """Nodes that wait for the routers, on another port than BGP's own"""
    first, second = site.nodes
    site.wait_established()
    for node in site.nodes:
        site.publish(node, all_vips())
    site.wait_kernel(everything([first, second]))


def prefix_limit(site):
    """More routes than the router takes: those it has stay, the session too"""
    first, second = site.nodes
    site.wait_established()
    site.publish(first, all_vips(2))
    site.wait_kernel(dict.fromkeys(all_vips(2), [first]))
    site.publish(first, all_vips(5))
    bird = site.routers['bird']
    wait_for('the limit', lambda: sum('Import limit' in line or '[HIT]' in line for line in
                                      bird.ask('show', 'protocols', 'all').splitlines()) > 0, SOON)
    wait_for('three routes a family', lambda: len(bird.kernel_routes()) == 6, SOON)
    site.wait_kernel(everything([first]), [site.routers['frr']])      # FRR warns
    check(all(router.established() for router in site.routers.values()), 'a session is down')


def refused(site):
    """No session, however often they try"""
    end = time.monotonic() + 8
    while time.monotonic() < end:
        for router in site.routers.values():
            check(not any(router.sessions().values()), '%s: %s' % (router.host, router.sessions()))
        time.sleep(0.2)


def passive_routers(_, text):
    """The routers connect, to the nodes' port 1790. Without TTL security: a listening ExaBGP sends
    IPv6 with the system's hop limit."""
    text = text.replace('    ttl security yes;\n', '')
    text = text.replace(' neighbor NODES ttl-security hops 1\n', '')
    text = text.replace('    passive yes;\n', '    passive no;\n    connect delay time 1;\n')
    text = text.replace(' as 65001; }', ' port 1790 as 65001; }')
    text = text.replace(' neighbor NODES passive\n', ' neighbor NODES timers connect 1\n')
    for line in text.splitlines():
        if line.startswith(' neighbor') and line.endswith('peer-group NODES'):
            text = text.replace(line, '%s\n %s port 1790' % (line, ' '.join(line.split()[:2])))
    return text


def few_prefixes(_, text):
    return text.replace('import limit 1000', 'import limit 3').replace(
        'maximum-prefix 1000', 'maximum-prefix 3')


CASES = {
    'ebgp': (ebgp, {}),
    'ibgp': (ibgp, {'ibgp': True, 'session': 'password=s3cret'}),
    'passive': (passive, {'session': 'password=s3cret,passive=1,port=1790',
                          'edit': passive_routers}),
    'limit': (prefix_limit, {'edit': few_prefixes}),
    'wrong password': (refused, {'session': 'password=s3cr3t,ttl=1'}),
    'no password': (refused, {'session': 'ttl=1'}),
    'node without ttl security': (refused, {'session': 'password=s3cret'}),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--bin', required=True, help='build folder')
    parser.add_argument('--keep', action='store_true', help='keep the logs')
    parser.add_argument('--only', choices=CASES, action='append')
    args = parser.parse_args()
    require('exabgp', 'bird', 'birdc', 'ip', 'gobgpd', 'gobgp', 'vtysh', FRR + '/bgpd')
    failed = []
    with scratch(args.keep) as folder:
        for name in args.only or CASES:
            case, options = CASES[name]
            begin = time.monotonic()
            try:
                with Site(os.path.join(folder, name.replace(' ', '-')), os.path.abspath(args.bin),
                          **options) as site:
                    case(site)
                print('ok %-28s %5.1f s' % (name, time.monotonic() - begin), flush=True)
            except Failure as failure:
                at = traceback.extract_tb(failure.__traceback__)[1]
                print('FAILED %s, line %d: %s' % (name, at.lineno, failure), flush=True)
                failed.append(name)
        if failed:
            sys.exit('failed: ' + ', '.join(failed))


if __name__ == '__main__':
    main()
