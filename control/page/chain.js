// The chain from the routers to the servers: what is wrong, neighbors, virtual IPs.
import {badge, h, list, row, set, show, text} from './dom.js';
import {age, count, dateOf, isWrong, serviceState, stateOf} from './words.js';

const byId = (id) => document.getElementById(id);

async function copy(button, command) {
  try {
    await navigator.clipboard.writeText(command);
  } catch { // not over plain HTTP from elsewhere: leave it selected
    getSelection().selectAllChildren(button.previousElementSibling);
    if (!document.execCommand('copy')) return;
  }
  text(button, 'Copied');
  text(byId('announce'), `Copied: ${command}`);
  setTimeout(() => text(button, 'Copy'), 2000);
}

function alarmView() {
  const state = badge();
  const [subject, what, since] = [h('strong'), h('span'), h('span', {class: 'dim'})];
  const command = h('code');
  const button = h('button', {type: 'button', class: 'small'}, 'Copy');
  const next = h('span', {class: 'next'}, command, button);
  button.addEventListener('click', () => copy(button, command.textContent));
  const node = h('li', {}, h('span', {}, state.node, ' ', subject, ' ', what, ' ', since), next);
  return {
    node,
    update({alarm, now}) {
      const level = stateOf('alarm', alarm.severity);
      set(node, 'class', level[0]);
      state.update(level);
      text(subject, alarm.subject);
      text(what, alarm.text);
      text(since, alarm.since ? `for ${age(now, alarm.since)}` : '');
      set(since, 'title', dateOf(alarm.since) || null);
      text(command, alarm.next);
      set(button, 'aria-label', `Copy: ${alarm.next}`);
      show(next, Boolean(alarm.next));
    },
  };
}

let announced = null;

export function showAlarms(status) {
  const alarms = status.alarms;
  list(byId('alarms'), alarms.map((alarm) => ({alarm, now: status.at})),
       ({alarm}) => `${alarm.id}\n${alarm.subject}`, alarmView);
  const critical = alarms.filter((alarm) => alarm.severity === 'critical').length;
  const none = byId('no-alarms');
  show(none, alarms.length === 0);
  text(none, status.node.ready ? 'Nothing is wrong.' : 'Nothing is wrong so far; not ready yet.');
  document.title = `${alarms.length ? `(${alarms.length}) ` : ''}${status.node.name} – l4ward`;
  const said = alarms.length ? `${alarms.length} alarms, ${critical} critical` : 'nothing is wrong';
  if (announced !== null && announced !== said) text(byId('announce'), said);
  announced = said;
}

function linkView() {
  const state = badge();
  const [title, what] = [h('strong'), h('span')];
  const link = h('a', {}, title, state.node, what);
  return {
    node: h('li', {}, link),
    update(item) {
      set(link, 'href', item.href);
      set(link, 'class', item.level);
      text(title, item.title);
      state.update([item.level, item.word]);
      text(what, item.what);
    },
  };
}

function summary(title, href, states, good, failed, counted = ['ok']) {
  const bad = states.filter(([level]) => level === 'bad').length;
  const warn = states.filter(([level]) => level === 'warn').length;
  const will = states.filter(([level]) => level === 'will').length;
  const fine = states.filter(([level]) => counted.includes(level)).length;
  const level = bad ? 'bad' : warn ? 'warn' : will ? 'will' : states.length ? 'ok' : 'off';
  const word = bad ? `${bad} ${failed}` : warn ? `${warn} degraded` : will ? `${will} taken out`
    : states.length ? 'ok' : 'none';
  return {title, href, level, word, what: `${fine} of ${states.length} ${good}`};
}

export function showChain(status) {
  const items = [
    summary('Virtual IPs', '#vips', status.vips.map((vip) => vipState(vip, status)),
            status.relay.configured ? 'announced' : 'on the interface', 'withdrawn',
            ['ok', 'warn', 'will']),
    summary('Services', '#services', status.services.map(serviceState), 'serve', 'failed',
            ['ok', 'warn']),
    summary('Servers', '#services', status.servers.map((s) => stateOf('server', s.state)), 'up',
            'down'),
  ];
  if (status.relay.configured) {
    items.unshift(summary('Neighbors', '#neighbors',
                          status.neighbors.map((n) => stateOf('neighbor', n.state)), 'up', 'down'));
  }
  list(byId('chain'), items, (item) => item.title, linkView);
}

const since = {
  name: 'Since', class: 'nowrap', of: ({item, now}) => age(now, item.since),
  title: ({item}) => dateOf(item.since),
};

const neighborColumns = [
  {name: 'State', view: badge, of: ({item}) => stateOf('neighbor', item.state)},
  {name: 'Neighbor', head: true, class: 'address', of: ({item}) => item.address},
  {name: 'AS', of: ({item}) => item.peer_as},
  {name: 'Routes', class: 'number', of: ({item}) => count(item.routes)},
  since,
  {name: 'Because', class: 'why', of: ({item}) => item.reason},
];

function relayText(relay) {
  if (!relay.configured) return 'The site file has no bgp section: nothing is announced.';
  if (!relay.connected) return 'ExaBGP is not connected; what it announced stands until its hold ends.';
  if (relay.unheard) return 'ExaBGP is connected, but no router hears it.';
  return relay.synced ? 'ExaBGP is connected and has acknowledged all routes.'
    : 'ExaBGP is connected and has not acknowledged all routes yet.';
}

export function showNeighbors(status) {
  text(byId('relay'), relayText(status.relay));
  set(byId('relay'), 'class', status.relay.configured &&
      (!status.relay.connected || status.relay.unheard) ? 'note bad' : 'note');
  show(byId('neighbors').querySelector('table'), status.neighbors.length > 0);
  list(byId('neighbor-rows'), status.neighbors.map((item) => ({item, now: status.at})),
       ({item}) => item.address, () => row(neighborColumns));
}

// Without BGP a virtual IP is never announced, and nothing is wrong with that.
function vipState(vip, status) {
  if (!status.relay.configured && vip.state === 'not-announced') {
    return vip.on_interface ? ['ok', 'on interface'] : ['off', 'not announced'];
  }
  return stateOf('vip', vip.state);
}

const vipColumns = [
  {name: 'State', view: badge, of: ({item, status}) => vipState(item, status)},
  {name: 'Virtual IP', head: true, class: 'address', of: ({item}) => item.prefix},
  {name: 'Services', of: ({item}) => item.services.join(', ')},
  {name: 'Told to', class: 'address',
   of: ({item}) => (item.neighbors.length > 4 ? `${item.neighbors.length} neighbors`
     : item.neighbors.join(', ')) || '–',
   title: ({item}) => item.neighbors.join(', ')},
  since,
  {name: 'Because', class: 'why', of: ({item, now}) =>
    item.because + (item.held_until > now ? `; held down for ${age(item.held_until, now)}` : '') +
    (item.on_interface ? '' : '; not on the interface')},
];

// Those that the filter lets through. Returns how many.
export function showVips(status, filter) {
  const shown = status.vips.filter((vip) =>
    (!filter.wrong || isWrong(vipState(vip, status))) &&
    filter.matches([vip.prefix, ...vip.services]));
  list(byId('vip-rows'), shown.map((item) => ({item, status, now: status.at})),
       ({item}) => item.prefix, () => row(vipColumns));
  return shown.length;
}
