// Services, and the servers of those that somebody opened: rows for all servers of a large site
// would cost more than anybody reads.
import {badge, h, list, row, set, show, text} from './dom.js';
import {age, count, dateOf, destinationState, isWrong, latency, percent, rate, serviceState, stateOf}
  from './words.js';

const open = new Set(); // keys of services

// How much a service takes in, from two looks at the kernel's counters.
let before = {at: 0, services: new Map()};
let rates = new Map();

export function measure(status) {
  if (!status.counters_at || status.counters_at === before.at) return;
  const seconds = status.counters_at - before.at;
  rates = new Map();
  for (const service of status.services) {
    const old = before.services.get(service.key);
    if (!old || seconds <= 0 || service.connections < old.connections) continue;
    rates.set(service.key, {connections: (service.connections - old.connections) / seconds,
                            bits: Math.max(0, service.bytes_in - old.bytes_in) * 8 / seconds});
  }
  before = {at: status.counters_at, services: new Map(status.services.map((s) => [s.key, s]))};
}

// Tables for finding servers and checks, made once a refresh and only if something is open.
function index(status) {
  const servers = new Map(status.servers.map((s) => [`${s.pool}\n${s.name}`, s]));
  const checks = new Map();
  for (const check of status.checks) {
    for (const pool of check.pools) {
      const key = `${pool}\n${check.server}`;
      if (checks.has(key)) checks.get(key).push(check);
      else checks.set(key, [check]);
    }
  }
  return {servers, checks};
}

function bar() {
  const [fill, number] = [h('span', {class: 'fill'}), h('span')];
  const node = h('span', {class: 'share'}, h('span', {class: 'bar', 'aria-hidden': 'true'}, fill),
                 number);
  return {
    node,
    update({share, largest, idle}) {
      fill.style.setProperty('--part', largest > 0 ? (share / largest).toFixed(4) : '0');
      fill.classList.toggle('idle', idle);
      text(number, percent(share));
    },
  };
}

function checkText({check, now}) {
  const {last} = check;
  if (!last.at) return 'not probed yet';
  const run = check.toward ? `, ${check.streak} of ${check.needed} toward ${check.toward}` : '';
  const why = last.answer === 'pass' ? latency(last.latency)
    : [last.kind, last.reason].filter(Boolean).join(': ');
  return `${why}${check.warning ? `, ${check.warning}` : ''}${run}, ${age(now, last.at)} ago`;
}

function checkView() {
  const state = badge();
  const [name, what] = [h('span', {class: 'dim'}), h('span')];
  const node = h('li', {}, state.node, ' ', name, ' ', what);
  return {
    node,
    update(item) {
      const {check} = item;
      state.update(stateOf('answer', check.last.at ? check.last.answer : 'unknown'));
      text(name, check.name);
      text(what, checkText(item));
      set(node, 'title', `${check.how} ${check.target}\n${dateOf(check.last.at)}`);
    },
  };
}

function checksView() {
  const override = h('span');
  const checks = h('ul', {class: 'checks'});
  return {
    node: h('div', {class: 'why'}, override, checks),
    update(item) {
      const taken = item.server && ['draining', 'disabled', 'warming'].includes(item.server.state);
      text(override, taken ? item.server.because : '');
      list(checks, item.checks.map((check) => ({check, now: item.now})), ({check}) => check.id,
           checkView);
    },
  };
}

const destinationColumns = [
  {name: 'State', view: badge, of: (item) => destinationState(item.destination, item.server),
   title: ({server}) => (server?.since ? `since ${dateOf(server.since)}` : '')},
  {name: 'Server', head: true, of: ({destination}) => destination.server || 'not in the site file'},
  {name: 'Address', class: 'address', of: ({destination}) => destination.address},
  {name: 'Weight', class: 'number', of: ({destination}) =>
    (destination.weight === destination.nominal ? destination.weight
      : `${destination.weight} (of ${destination.nominal})`)},
  {name: 'Share of the table', view: bar, of: (item) => item.share, title: ({share}) =>
    (share.idle && share.share > 0 ? 'its slots go to others while its weight is 0' : '')},
  {name: 'Active', class: 'number', of: ({destination}) => count(destination.active_connections)},
  {name: 'Inactive', class: 'number',
   of: ({destination}) => count(destination.inactive_connections)},
  {name: 'Last check', view: checksView, of: (item) => item},
];

function destinationTable(key) {
  const head = h('tr', {role: 'row'}, ...destinationColumns.map((column) =>
    h('th', {scope: 'col', role: 'columnheader', class: column.class === 'number' && 'number'},
      column.name)));
  const body = h('tbody', {role: 'rowgroup'});
  const node = h('table', {role: 'table', 'aria-label': `Servers of ${key}`},
                 h('thead', {role: 'rowgroup'}, head), body);
  return {
    node,
    update({service, status, found, filter}) {
      const largest = Math.max(0, ...service.destinations.map((d) => d.share));
      const items = service.destinations.map((destination) => {
        const id = `${destination.pool}\n${destination.server}`;
        return {
          destination, now: status.at, server: found.servers.get(id),
          checks: found.checks.get(id) ?? [],
          share: {share: destination.share, largest, idle: destination.weight === 0},
        };
      });
      list(body, items.filter((item) => filter(item)), (item) => item.destination.address,
           () => row(destinationColumns));
    },
  };
}

function nameView() {
  const [name, key] = [h('span', {class: 'name'}), h('span', {class: 'address'})];
  const button = h('button', {type: 'button', class: 'opener', 'aria-expanded': 'false'}, name, ' ',
                   key);
  return {
    node: button,
    update(service) {
      set(button, 'data-key', service.key);
      text(name, service.name || 'dropped');
      text(key, service.key);
    },
  };
}

const active = (service) => service.destinations.reduce((sum, d) => sum + d.active_connections, 0);

const serviceColumns = [
  {name: 'State', view: badge, of: serviceState},
  {name: 'Service', head: true, view: nameView, of: (service) => service},
  {name: 'Servers', of: (service) => service.quorum_text || `${service.up} of ${service.total} up`},
  {name: 'Pool', of: (service) => service.pool +
    (service.backup_pool ? `, backup ${service.backup_pool}` : '')},
  {name: 'New/s', class: 'number', of: ({key}) => rate(rates.get(key)?.connections)},
  {name: 'In', class: 'number', of: ({key}) => rate(rates.get(key)?.bits, 'bit/s')},
  {name: 'Active', class: 'number', of: (service) => count(active(service))},
  {name: 'Table digest', class: 'address digest', of: (service) => service.digest || '–'},
];

function serviceView({service: {key}}) {
  const line = row(serviceColumns);
  const button = line.node.querySelector('button');
  const cell = h('td', {colspan: serviceColumns.length, role: 'cell'});
  const detail = h('tr', {role: 'row', class: 'detail', hidden: ''}, cell);
  let table = null;
  let shown = null;
  function update(item) {
    shown = item;
    line.update(item.service);
    const expanded = open.has(key);
    set(button, 'aria-expanded', String(expanded));
    show(detail, expanded);
    if (expanded && !table) {
      table = destinationTable(key);
      cell.append(table.node);
    } else if (!expanded && table) {
      table.node.remove();
      table = null;
    }
    table?.update({...item, found: item.found()});
  }
  button.addEventListener('click', () => {
    if (!open.delete(key)) open.add(key);
    update(shown);
  });
  return {node: h('tbody', {role: 'rowgroup'}, line.node, detail), update};
}

const ownTexts = (service) => [service.name, service.key, service.pool, service.backup_pool];
const textsOf = (destination) => [destination.server, destination.address];

// Those that the filter lets through. Returns how many.
export function showServices(status, filter) {
  let found = null;
  const once = () => (found ??= index(status));
  const items = [];
  for (const service of status.services) {
    if (filter.wrong && !isWrong(serviceState(service))) continue;
    const whole = filter.matches(ownTexts(service));
    if (!whole && !service.destinations.some((d) => filter.matches(textsOf(d)))) continue;
    const inside = ({destination, server}) =>
      (whole || filter.matches(textsOf(destination))) &&
      (!filter.wrong || isWrong(destinationState(destination, server)));
    items.push({service, status, found: once, filter: inside});
  }
  list(document.getElementById('service-table'), items, ({service}) => service.key, serviceView);
  return items.length;
}
