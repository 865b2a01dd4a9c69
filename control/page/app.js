// Asks the agent every two seconds and shows what it says. Read-only: nothing here changes a node.
import {set, show, text} from './dom.js';
import {age, count, dateOf, duration} from './words.js';
import {showAlarms, showChain, showNeighbors, showVips} from './chain.js';
import {measure, showServices} from './services.js';
import {addEvents, forgetEventsOfOthers, lastEvent, showDifferences, showEvents, showOverrides,
  showVipList} from './more.js';

const byId = (id) => document.getElementById(id);
const kPeriod = 2000; // ms
const kSlowest = 10000;
const kPatience = 8000;

let status = null;
let answeredAt = performance.now(); // by this machine's clock, which may differ from the node's
let failures = 0;
let timer = null;
let asking = false;

async function get(path) {
  const response = await fetch(path, {cache: 'no-store', signal: AbortSignal.timeout(kPatience)});
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

function nodeFacts({node, at}) {
  const reload = node.reloads;
  const facts = [
    node.phase + (node.ready ? '' : ', not ready') + (node.suspect ? ', suspect' : ''),
    `version ${node.version}`, `up ${age(at, node.started_at)}`,
    `site ${node.site_hash}`,
  ];
  if (reload.last_at) {
    const how = reload.last_succeeded ? 'reloaded' : `reload failed (${reload.last_reason})`;
    facts.push(`${how} ${age(at, reload.last_at)} ago`);
  }
  return facts;
}

function aboutNode({node}) {
  return `${node.site_file} · process ${node.pid} · tables of ${count(node.table_slots)} slots · ` +
    `${count(node.work.operations)} operations sent to IPVS, ` +
    `${count(node.work.failed_operations)} refused · ${count(node.work.drift)} differences mended`;
}

function currentFilter() {
  const words = byId('filter-text').value.toLowerCase().split(/\s+/).filter(Boolean);
  return {
    wrong: byId('filter-wrong').checked,
    active: words.length > 0 || byId('filter-wrong').checked,
    matches(texts) {
      if (words.length === 0) return true;
      const all = texts.join(' ').toLowerCase();
      return words.every((word) => all.includes(word));
    },
  };
}

function showChosen() {
  const filter = currentFilter();
  const vips = showVips(status, filter);
  const services = showServices(status, filter);
  text(byId('filter-count'), filter.active ? `${vips} of ${status.vips.length} virtual IPs, ` +
    `${services} of ${status.services.length} services` : '');
}

function showAll() {
  const started = performance.now();
  text(byId('node'), status.node.name);
  text(byId('facts'), nodeFacts(status).join(' · '));
  set(byId('facts'), 'title', `started ${dateOf(status.node.started_at)}`);
  text(byId('about'), aboutNode(status));
  measure(status);
  showAlarms(status);
  showDifferences(status);
  showChain(status);
  showNeighbors(status);
  showChosen();
  showOverrides(status);
  showVipList(status);
  showEvents(status.at);
  performance.measure('show', {start: started});
}

// Old data is shown, and said to be old.
function showFreshness() {
  const silent = (performance.now() - answeredAt) / 1000;
  const gone = failures > 0;
  show(byId('gone'), gone);
  set(document.body, 'class', gone && status !== null && 'stale');
  if (gone) text(byId('gone'), `No answer from the agent for ${duration(silent)}.` +
    (status ? ' What follows is as old as that.' : ''));
  if (status) text(byId('fresh'), gone ? 'old' : silent < 3 ? 'live' : `${duration(silent)} old`);
}

// Nothing if there is no answer, whatever the reason.
async function ask() {
  try {
    const answer = await get('api/status');
    forgetEventsOfOthers(answer.node);
    addEvents((await get(`api/events?after=${lastEvent()}`)).events);
    return answer;
  } catch {
    return null;
  }
}

async function refresh() {
  if (asking || document.hidden) return;
  asking = true;
  clearTimeout(timer);
  const started = performance.now();
  const answer = await ask();
  asking = false;
  failures = answer ? 0 : failures + 1;
  if (answer) {
    answeredAt = performance.now();
    status = answer;
    showAll();
  }
  showFreshness();
  // A large site on a slow machine is asked less often, a silent agent too.
  const took = performance.now() - started;
  const wait = Math.max(kPeriod, failures ? kPeriod * 2 ** Math.min(failures - 1, 3) : 4 * took);
  timer = setTimeout(refresh, Math.min(kSlowest, wait));
}

const kThemes = ['system', 'light', 'dark'];

// A browser that keeps nothing for us shows the system's theme.
function keptTheme(store) {
  try {
    if (store !== undefined) localStorage.setItem('l4ward.theme', store);
    return localStorage.getItem('l4ward.theme');
  } catch {
    return null;
  }
}

function useTheme(theme) {
  const known = kThemes.includes(theme) ? theme : 'system';
  set(document.documentElement, 'data-theme', known === 'system' ? null : known);
  text(byId('theme'), `Theme: ${known}`);
  return known;
}

let theme = useTheme(keptTheme());
byId('theme').addEventListener('click', () => {
  theme = useTheme(kThemes[(kThemes.indexOf(theme) + 1) % kThemes.length]);
  keptTheme(theme);
});
byId('filter').addEventListener('submit', (event) => event.preventDefault());
byId('filter').addEventListener('input', () => status && showChosen());
document.addEventListener('visibilitychange', refresh);
setInterval(() => document.hidden || showFreshness(), 1000);
refresh();
