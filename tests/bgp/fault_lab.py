"""A node and a router for fault_test.py, and somebody who publishes random sets all the while."""
import contextlib
import functools
import json
import os
import random
import threading
import time

from bgp_lab import (NODE, NODE_AS, ROUTER, ROUTER_AS, Agent, Failure, Lab, Monitor, address, check,
                     end_exabgp, family_of, node_folder, wait_for)
from bgp_routers import Bird, Frr, bird_config
from fault_history import History, violations

FAMILIES = (4, 6)
HOLD = 2.0                  # seconds that routes outlive the agent
GRACEFUL = 5                # …and ExaBGP
BGP_HOLD = 4                # BGP's own
PREFIXES = ['198.51.100.%d/32' % i for i in range(1, 9)] + [
    '2001:db8::c633:64%02x/128' % i for i in range(1, 9)]
# From the acknowledgement to the router's kernel: milliseconds, but several labs share two cores.
GRACE = 1.0
SETTLE = 90.0               # ExaBGP 4.2 waits longer after each failed attempt to connect

BIRD = bird_config(BGP_HOLD, 'error wait time 1, 2;', 'graceful restart aware;')

FRR = f'''
router bgp {ROUTER_AS}
 bgp router-id {address(4, ROUTER)}
 no bgp default ipv4-unicast
 no bgp ebgp-requires-policy
 neighbor NODES peer-group
 neighbor NODES remote-as {NODE_AS}
 neighbor NODES passive
 neighbor NODES timers 1 {BGP_HOLD}
 neighbor {address(4, NODE)} peer-group NODES
 neighbor {address(6, NODE)} peer-group NODES
 address-family ipv4 unicast
  neighbor {address(4, NODE)} activate
 exit-address-family
 address-family ipv6 unicast
  neighbor {address(6, NODE)} activate
 exit-address-family
exit
'''
ROUTERS = {'bird': (Bird, BIRD), 'frr': (Frr, FRR)}


def wait_to_stay(what, condition, seconds, limit):
    """Until the condition has held for so long."""
    end = time.monotonic() + limit
    since = None
    while since is None or time.monotonic() < since + seconds:
        check(time.monotonic() < end, 'not within %.1f s: %s' % (limit, what()))
        if not condition():
            since = None
        elif since is None:
            since = time.monotonic()
        time.sleep(0.05)


class World:
    """`seed` decides the published sets; `random` is for the faults."""

    def __init__(self, folder, binaries, kind, seed):
        self.binaries = binaries
        self.random, self.sets = random.Random(seed), random.Random(seed + '/sets')
        os.makedirs(folder)
        self.lab = Lab(folder, {'r': ROUTER, 'n': NODE})
        router, config = ROUTERS[kind]
        self.router = router(self.lab, 'r', config)
        self.folder = node_folder(folder, 'n', binaries)
        self.history = History()
        self.lock = threading.Lock()
        self.agent = None
        self.unanswered = []            # publications that this agent has not numbered yet
        self.exabgps = set()
        self.running = threading.Event()
        self.turn = threading.Lock()    # the publisher's, while it publishes
        self.ended = False
        self.log = open(os.path.join(folder, 'faults.log'), 'w', buffering=1)

    def start(self):
        self.lab.start()
        self.router.start()
        self.monitor = Monitor(self.lab, 'r')
        self.start_agent()
        self.wait_settled()
        threading.Thread(target=self.publish_all_the_while, daemon=True).start()

    def stop(self):
        self.ended = True
        if self.agent:
            self.agent.kill()
        for process in self.lab.processes:
            if process.poll() is None:
                process.kill()          # also what is stopped
        end_exabgp(self.folder, self.exabgps)
        self.lab.stop()

    def note(self, text):
        self.log.write('%.3f %s\n' % (time.monotonic(), text))

    # --- the agent ---

    def start_agent(self):
        peers = ['as=%d,graceful=%d' % (NODE_AS, GRACEFUL)] + [
            '%s,%s,as=%d,hold=%d' % (address(f, ROUTER), address(f, NODE), ROUTER_AS, BGP_HOLD)
            for f in FAMILIES]
        with self.lock:
            self.unanswered = []
            self.agent = Agent(self.lab, 'n', self.binaries, self.folder, peers, HOLD,
                               functools.partial(self.heard, self.unanswered, {}, set()))
        self.agent.expect('started')
        self.agent.expect('connected')

    def heard(self, unanswered, generations, synced, now, line):
        """`generations`: of that agent, to the publication's index."""
        self.note('agent: ' + line)
        word, _, rest = line.partition(' ')
        if word == 'started':
            self.exabgps.add(int(rest.split()[0]))
        elif word == 'generation':
            generations[int(rest)] = unanswered.pop(0)
            if int(rest) in synced:     # the set is the one before, and ExaBGP has it
                self.history.acknowledge(now, generations[int(rest)])
        elif word == 'synced' and int(rest) in generations:
            synced.add(int(rest))
            self.history.acknowledge(now, generations[int(rest)])

    def exabgp(self):
        return self.agent.exabgp()

    # --- what is published ---

    def publish(self, prefixes, med=100):
        groups = [{'neighbor': address(f, ROUTER), 'next_hop': address(f, NODE), 'med': med,
                   'prefixes': [p for p in prefixes if family_of(p) == f]} for f in FAMILIES]
        groups = [group for group in groups if group['prefixes']]
        with self.lock:
            now = time.monotonic()
            self.unanswered.append(self.history.publish(now, prefixes))
            self.note('publish %s med %d' % (sorted(prefixes), med))
            if self.agent.process.poll() is None:
                with contextlib.suppress(OSError):      # it was just killed
                    self.agent.process.stdin.write('routes %s\n' % json.dumps(groups))

    @staticmethod
    def random_set(chance):
        share = chance.choice((0, 0.2, 0.5, 0.5, 0.8, 1))
        return [p for p in PREFIXES if chance.random() < share]

    def publish_all_the_while(self):
        while not self.ended:
            self.running.wait()
            with self.turn:
                if self.running.is_set():
                    self.publish(self.random_set(self.sets), self.sets.choice((100, 100, 200)))
            time.sleep(self.sets.choice((0.02, 0.1, 0.3, 0.5, 1.5)))

    def change_sets(self, running):
        """After change_sets(False) the publisher says nothing more."""
        with self.turn:
            self.running.set() if running else self.running.clear()

    # --- what must hold ---

    def settled(self):
        try:
            return self.router.established() and self.router.settled()
        except (Failure, ValueError, KeyError):     # the router is just starting
            return False

    def wait_settled(self):
        """After it was stopped, each side may find that its hold timer ran out."""
        wait_to_stay(lambda: 'sessions: %s' % self.router.sessions(), self.settled, 1, SETTLE)

    def present(self):
        """The virtual IPs in the router's kernel now."""
        found = {}
        for _, prefix, there in list(self.monitor.events):
            found[prefix] = there
        return {prefix for prefix, there in found.items() if there}

    def meds(self, prefixes):
        return {path.med for prefix in prefixes for path in self.router.paths(prefix)}

    @contextlib.contextmanager
    def trouble(self, silence=False):
        """Marks the time until sessions are settled again as one in which withdrawals may be lost
        and routes missing; `silence`: until the agent is heard, only the latter."""
        span = [time.monotonic(), float('inf')]
        (self.history.silences if silence else self.history.troubles).append(span)
        yield
        self.wait_settled()
        if silence:
            now = time.monotonic()
            wait_for('the agent to be heard again', lambda: self.acknowledged_since(now), SETTLE)
        span[1] = time.monotonic()

    def acknowledged_since(self, when):
        """Something that was published after that time is acknowledged."""
        return any(self.history.publications[index][0] > when
                   for _, index in self.history.acknowledged[-1:])

    def check_final_state(self):
        """The router has what was published last, and just that."""
        self.change_sets(False)
        prefixes, med = self.random_set(self.random), self.random.choice((100, 200, 300))
        self.publish(prefixes, med)
        index = len(self.history.publications) - 1
        wait_for('the last set to be acknowledged', lambda: any(
            each == index for _, each in self.history.acknowledged), SETTLE)
        # What was published just before may still be on its way, so it must stay like that.
        wait_to_stay(lambda: 'the router has %s, published were %s' % (
            self.router.kernel_routes(), sorted(prefixes)),
            lambda: self.present() == set(prefixes), 0.5, 10)
        wait_for(lambda: 'MED %d: %s' % (med, self.meds(prefixes)),
                 lambda: self.meds(prefixes) <= {med}, 10)
        kernel = self.router.kernel_routes()
        check(set(kernel) == set(prefixes), 'the kernel has %s, not %s' % (
            sorted(kernel), sorted(prefixes)))

    def check_history(self):
        found = violations(self.history, list(self.monitor.events), PREFIXES, GRACE,
                           time.monotonic())
        check(not found, '; '.join(found))
