// Differences while observing; below the chain: overrides, events, and the look-up of a flow.
import {badge, h, list, row, set, show, text} from './dom.js';
import {age, count, dateOf, stateOf} from './words.js';

const byId = (id) => document.getElementById(id);

const overrideColumns = [
  {name: 'Action', view: badge, of: ({item}) => ['will', item.action]},
  {name: 'Subject', head: true, of: ({item}) => item.subject},
  {name: 'By', of: ({item}) => (item.from_file ? `file ${item.by}` : item.by)},
  {name: 'Reason', class: 'why', of: ({item}) => item.reason || '–'},
  {name: 'Age', class: 'nowrap', of: ({item, now}) => age(now, item.since),
   title: ({item}) => dateOf(item.since)},
  {name: 'Ends', class: 'nowrap', of: ({item, now}) => {
    if (item.from_file) return 'with its file';
    return item.until ? `in ${age(item.until, now)}` : 'when taken back';
  }, title: ({item}) => dateOf(item.until)},
];

export function showOverrides(status) {
  const {overrides} = status;
  show(byId('no-overrides'), overrides.length === 0);
  show(byId('override-table'), overrides.length > 0);
  list(byId('override-rows'), overrides.map((item) => ({item, now: status.at})),
       ({item}) => `${item.from_file}\n${item.subject}`, () => row(overrideColumns));
}

const differenceColumns = [
  {name: 'What', view: badge, of: ({item}) => ['will', item.kind]},
  {name: 'Subject', head: true, of: ({item}) => item.subject},
  {name: 'How', class: 'why', of: ({item}) => item.text,
   title: ({item}) => item.operations.join('\n')},
  {name: 'Since', class: 'nowrap', of: ({item, now}) => age(now, item.since),
   title: ({item}) => dateOf(item.since)},
];

export function showDifferences(status) {
  const differences = status.differences ?? [];
  show(byId('differences'), status.node.phase === 'observing');
  list(byId('difference-rows'), differences.map((item) => ({item, now: status.at})),
       ({item}) => `${item.kind}\n${item.subject}`, () => row(differenceColumns));
}

const kShown = 100;
let events = []; // the newest first
let agent = null; // whose events they are; another one counts from 1 again

// The number of the last one that is known.
export const lastEvent = () => events[0]?.number ?? 0;

export function forgetEventsOfOthers(node) {
  const now = `${node.pid} ${node.started_at}`;
  if (agent !== null && agent !== now) events = [];
  agent = now;
}

export function addEvents(newer) {
  const last = lastEvent();
  events = [...newer.filter((event) => event.number > last).reverse(), ...events].slice(0, kShown);
}

function eventView() {
  const time = h('time');
  const state = badge();
  const [id, fields] = [h('strong'), h('span', {class: 'fields'})];
  return {
    node: h('li', {}, time, state.node, id, fields),
    update({event, now}) {
      text(time, `${age(now, event.at)} ago`);
      set(time, 'datetime', new Date(event.at * 1000).toISOString());
      set(time, 'title', dateOf(event.at));
      state.update(stateOf('event', event.level));
      text(id, event.id);
      text(fields, event.fields.map(([name, value]) => `${name}=${value}`).join('  '));
    },
  };
}

export function showEvents(now) {
  show(byId('no-events'), events.length === 0);
  list(byId('events'), events.map((event) => ({event, now})),
       ({event}) => `${agent}\n${event.number}`, eventView);
}

export function showVipList(status) {
  const known = status.services.map((service) => service.key.split(' '))
    .filter(([protocol]) => protocol !== 'mark').map(([, address]) => address);
  list(byId('vip-list'), [...new Set(known)].slice(0, 200), (address) => address,
       (address) => ({node: h('option', {value: address}), update() {}}));
}

function facts(answer) {
  const known = [
    ['Service', `${answer.name} (${answer.service})`],
    ['Slot', `${count(answer.slot)} of ${count(answer.slots)}`],
    ['Owner of the slot', `${answer.owner_name} (${answer.owner})`],
    ['A new flow goes to', answer.server ? `${answer.server_name} (${answer.server})` : 'refused'],
    ['By fallback', answer.fallback ? 'yes: the owner takes no new connections' : 'no'],
    ['The kernel holds it', answer.held === undefined ? 'no'
      : `${answer.held_name} (${answer.held}), ${answer.held_state}`],
    ['Table digest', answer.digest],
  ];
  return h('dl', {}, ...known.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
}

let asked = 0; // an answer to an earlier question is dropped

async function lookUp(form) {
  const number = ++asked;
  const answerWith = (...nodes) =>
    number === asked && byId('lookup-answer').replaceChildren(...nodes);
  answerWith(h('p', {class: 'note'}, 'asking'));
  try {
    const question = new URLSearchParams(new FormData(form));
    const response = await fetch(`api/lookup?${question}`, {signal: AbortSignal.timeout(10000)});
    const answer = await response.json();
    if (response.ok) {
      answerWith(h('p', {class: 'answer'}, answer.text), facts(answer));
    } else {
      const {message, next} = answer.error;
      answerWith(h('p', {class: 'note bad'}, next ? `${message} – ${next}` : message));
    }
  } catch {
    answerWith(h('p', {class: 'note bad'}, 'no answer from the agent'));
  }
}

byId('lookup').addEventListener('submit', (event) => {
  event.preventDefault();
  lookUp(event.target);
});
