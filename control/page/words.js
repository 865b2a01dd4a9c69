// Numbers and times for people, and what states mean.

export function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 48 * 3600) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}

export const age = (now, at) => (at ? duration(now - at) : '–');
export const dateOf = (at) =>
  (at ? new Date(at * 1000).toISOString().replace('T', ' ').slice(0, 19) + ' UTC' : '');

const whole = new Intl.NumberFormat('en', {maximumFractionDigits: 0});
export const count = (value) => whole.format(value).replaceAll(',', '\u202f');

export function rate(value, unit = '') {
  if (value === null || value === undefined) return '–';
  const prefixes = ['', 'k', 'M', 'G', 'T'];
  let i = 0;
  let scaled = value;
  while (scaled >= 999.5 && i < prefixes.length - 1) {
    scaled /= 1000;
    ++i;
  }
  const digits = scaled >= 9.95 || scaled === 0 ? 0 : 1;
  return `${scaled.toFixed(digits)}${i || unit ? ' ' : ''}${prefixes[i]}${unit}`;
}

export function latency(seconds) {
  if (seconds >= 1) return `${seconds.toFixed(1)} s`;
  return `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
}

export function percent(share) {
  const value = share * 100;
  return `${value.toFixed(value >= 9.95 || value === 0 ? 0 : value >= 0.095 ? 1 : 2)} %`;
}

// [level, word] of each state; a state of a newer agent is shown as it is.
const levels = {
  server: {up: 'ok', warming: 'warn', draining: 'will', disabled: 'will', down: 'bad'},
  vip: {announced: 'ok', 'last-resort': 'warn', draining: 'will', withdrawn: 'bad'},
  neighbor: {up: 'ok', connected: 'warn', down: 'bad'},
  phase: {running: 'ok', starting: 'warn', draining: 'will', withdrawing: 'will', stopping: 'will',
    observing: 'will'},
  alarm: {critical: 'bad', warning: 'warn'},
  event: {error: 'bad', warning: 'warn'},
  answer: {pass: 'ok', drain: 'will', fail: 'bad', error: 'warn'},
};
export const stateOf = (kind, state) => [levels[kind][state] ?? 'off', state || 'unknown'];

export function serviceState(service) {
  if (!service.name) return ['will', 'leaving'];
  if (!service.programmed) return ['bad', 'not programmed'];
  if (!service.quorum) return ['bad', 'no quorum'];
  if (service.uses === 'all') return ['warn', 'panic'];
  if (service.uses === 'backup') return ['warn', 'backup'];
  if (service.up < service.total) return ['warn', 'degraded'];
  return ['ok', 'ok'];
}

export function destinationState(destination, server) {
  if (destination.removed) return ['will', 'leaving'];
  if (server) return stateOf('server', server.state);
  return destination.weight > 0 ? ['ok', 'in use'] : ['off', 'out'];
}

export const isWrong = ([level]) => level === 'bad' || level === 'warn';
