/** The screens of the district: map, grid and list of centres, one centre, alarms, mass orders, what was put aside. */
import { words } from '/page/words.js';

const STALE_MS = 5 * 60_000, OFFLINE_MS = 15_000, EVERY_MS = 5_000;
const view = document.getElementById('view'), cut = document.getElementById('cut');
let language = localStorage.getItem('language') ?? 'zh', answered = Date.now(), data = null, wanted = '', only = 'all', shown = '';

const word = (key) => words[language][key] ?? key;
const clock = (ms) => (ms ? new Date(ms).toLocaleString(language === 'zh' ? 'zh-CN' : 'en-GB') : '——');
function age(ms) {
  if (!ms) return word('never');
  const s = Math.max(0, Math.round((Date.now() - ms) / 1000));
  const [n, unit] = s < 60 ? [s, 'seconds'] : s < 3600 ? [s / 60, 'minutes'] : s < 172_800 ? [s / 3600, 'hours'] : [s / 86_400, 'days'];
  return language === 'zh' ? `${Math.floor(n)} ${word(unit)}${word('ago')}` : `${Math.floor(n)} ${word(unit)} ${word('ago')}`;
}
/** An element; texts are texts, never markup. */
function h(name, attributes, ...children) {
  const svg = ['svg', 'circle', 'text', 'path', 'title'].includes(name) || attributes?.svg;
  const element = svg ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key !== 'svg' && value !== undefined && value !== null) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((c) => c !== null && c !== undefined).map((c) => (c instanceof Node ? c : String(c))));
  return element;
}
/** Units as people write them (UCUM codes otherwise). */
const units = { Cel: '°C', '1': '' };
const table = (heads, rows) => rows.length === 0 ? h('p', {}, word('none'))
  : h('div', { class: 'scroll', tabindex: 0 }, h('table', {}, h('thead', {}, h('tr', {}, heads.map((k) => h('th', { scope: 'col' }, word(k))))), h('tbody', {}, rows)));
const row = (...cells) => h('tr', {}, cells.map((c) => (c instanceof HTMLTableCellElement ? c : h('td', {}, c))));

const worst = (c) => (c.high ? 'high' : c.medium || c.food_abnormal ? 'medium' : c.low || c.kiosks_offline ? 'low' : 'none');
const isStale = (c) => !c.online || !c.heard_at || Date.now() - c.heard_at > STALE_MS;
const name = (c) => c.name ?? `${c.centre}/${c.gateway}`;
const link = (c) => `#/centre/${encodeURIComponent(c.centre)}`;

function completeness(c) {
  const share = c.arrived + c.missing === 0 ? 100 : (100 * c.arrived) / (c.arrived + c.missing);
  const text = c.missing ? word('missing').replace('{n}', c.missing) : word('complete');
  return [h('div', {}, text, c.lost ? ` · ${word('lost').replace('{n}', c.lost)}` : ''), h('div', { class: 'bar' }, h('i', { style: `width:${share}%` }))];
}
function tile(c) {
  const alarms = ['high', 'medium', 'low'].filter((p) => c[p]).map((p) => h('span', { class: p }, `${word(p)} ${c[p]} `));
  return h('li', {}, h('a', { class: 'tile', href: link(c), 'data-worst': worst(c), 'data-stale': isStale(c) },
    h('strong', {}, name(c)), h('div', {}, c.online ? word('online') : word('offline'), ' · ', age(c.heard_at)),
    h('div', {}, word('mode'), '：', word(c.mode ?? '——')), h('div', {}, alarms),
    h('div', {}, `${word('kiosks')} ${c.kiosks - c.kiosks_offline}/${c.kiosks} · ${word('food')} ${c.food - c.food_abnormal}/${c.food}`),
    c.doubled ? h('div', { class: 'high' }, word('doubled')) : null, completeness(c)));
}
function map(centres) {
  const placed = centres.filter((c) => c.lat !== null && c.lon !== null);
  if (placed.length < 2) return null;
  const [west, east] = [Math.min(...placed.map((c) => c.lon)), Math.max(...placed.map((c) => c.lon))];
  const [south, north] = [Math.min(...placed.map((c) => c.lat)), Math.max(...placed.map((c) => c.lat))];
  const squeeze = Math.cos(((south + north) / 2) * (Math.PI / 180));
  const scale = 90 / Math.max((east - west) * squeeze, north - south, 1e-6);
  const height = Math.max(20, (north - south) * scale + 10), width = Math.max(60, (east - west) * squeeze * scale + 14);
  return h('svg', { class: 'map', viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': word('overview') }, placed.map((c) => {
    const [x, y] = [(c.lon - west) * squeeze * scale + 5, (north - c.lat) * scale + 5];
    return h('a', { svg: true, href: link(c), 'data-worst': worst(c), 'data-stale': isStale(c) }, h('circle', { cx: x, cy: y, r: worst(c) === 'none' ? 1.2 : 1.8 }, h('title', {}, `${name(c)} ${c.online ? word('online') : word('offline')}`)),
      placed.length <= 40 ? h('text', { x: x + 2, y: y + 1 }, name(c)) : null);
  }));
}
function overview(centres) {
  const isWanted = (c) => (name(c) + c.centre).toLowerCase().includes(wanted.toLowerCase()) && (only === 'all' || worst(c) !== 'none' || isStale(c) || c.missing > 0);
  const list = centres.filter(isWanted).sort((a, b) => b.high - a.high || b.medium - a.medium || isStale(b) - isStale(a));
  const search = h('input', { id: 'search', type: 'search', placeholder: word('search'), 'aria-label': word('search'), value: wanted, oninput: (e) => { wanted = e.target.value; draw(); } });
  const choice = h('select', { 'aria-label': word('state'), onchange: (e) => { only = e.target.value; draw(); } }, ['all', 'abnormal'].map((k) => h('option', { value: k, ...(k === only ? { selected: '' } : {}) }, word(k))));
  return [h('div', { class: 'tools' }, search, choice), map(centres), list.length ? h('ul', { class: 'grid' }, list.map(tile)) : h('p', {}, word('none'))];
}
function value(v) {
  if (v.value === null && v.text === null) return h('td', { class: 'stale' }, '——', v.quality ? ` ${v.quality}` : '');
  const isOld = Date.now() - v.at > STALE_MS;
  return h('td', { class: isOld || v.quality ? 'n stale' : 'n' }, v.text ?? Math.round(v.value * 1000) / 1000, v.unit ? ` ${units[v.unit] ?? v.unit}` : '', v.quality ? ` ${v.quality}` : '');
}
async function trend(gateway, device, point, place) {
  const to = Date.now(), query = new URLSearchParams({ device, point, from: to - 86_400_000, to });
  const answer = await fetch(`/api/v1/centres/${encodeURIComponent(gateway.centre)}/${encodeURIComponent(gateway.gateway)}/trend?${query}`);
  if (!answer.ok) return place.replaceChildren(h('p', {}, word('fault')));
  const values = (await answer.json()).filter((v) => v[1] !== null);
  if (values.length < 2) return place.replaceChildren(h('p', {}, word('none')));
  const [low, high] = [Math.min(...values.map((v) => v[1])), Math.max(...values.map((v) => v[1]))];
  const x = (t) => ((t - to + 86_400_000) / 86_400_000) * 1000, y = (v) => 210 - ((v - low) / (high - low || 1)) * 200;
  const path = values.map((v, i) => `${i ? 'L' : 'M'}${x(v[0]).toFixed(1)} ${y(v[1]).toFixed(1)}`).join('');
  place.replaceChildren(h('h2', {}, `${device} · ${point} · ${word('trend')} (${low} – ${high})`), h('svg', { class: 'chart', viewBox: '0 0 1000 220', preserveAspectRatio: 'none', role: 'img', 'aria-label': `${device} ${point} ${low} – ${high}` }, h('path', { d: path })));
}
function centre(gateways) {
  return [h('p', {}, h('a', { href: '#/' }, word('back'))), gateways.map((g) => {
    const chart = h('div', {});
    const values = g.devices.flatMap((d) => d.values.map((v) => row(d.name ?? d.device, d.room ?? '', h('td', {}, h('button', { type: 'button', onclick: () => trend(g, d.device, v.point, chart) }, v.point)), value(v), age(v.at))));
    const gaps = g.epochs.flatMap((e) => e.gaps.map(([a, b]) => row(e.epoch.slice(0, 8), a === b ? a : `${a} – ${b}`)));
    return [h('h2', {}, `${name(g)} · ${g.online ? word('online') : word('offline')} · ${word(g.mode ?? '——')}`), h('p', {}, `${word('vitals')}：${g.vital_signs_today}`),
      h('h2', {}, word('alarms')), table(['priority', 'text', 'at'], g.alarms.map((a) => row(h('td', { class: a.priority }, word(a.priority)), a.text, age(a.at)))),
      g.rooms.length ? [h('h2', {}, word('room')), table(['room', 'stage', 'text'], g.rooms.map((r) => row(r.room, h('td', { class: r.class === 'Exercise' ? 'drill' : r.class === 'Actual' && r.stage !== 'peace' ? 'actual' : '' }, word(r.stage)), r.text)))] : null,
      chart, h('h2', {}, word('device')), table(['device', 'room', 'point', 'value', 'at'], values), h('h2', {}, word('gaps')), gaps.length ? table(['gateway', 'number'], gaps) : h('p', {}, word('complete'))];
  })];
}
const alarms = (list) => table(['priority', 'centre', 'text', 'state', 'at'], list.map((a) => row(h('td', { class: a.priority }, word(a.priority)), h('td', {}, h('a', { href: link(a) }, name(a))), a.text, a.state, age(a.at))));
const aside = (list) => table(['at', 'topic', 'reason', 'text'], list.map((p) => row(clock(p.at), p.topic, p.reason, p.detail)));
const banner = (o) => h('td', { class: o.class === 'Exercise' ? 'drill' : 'actual' }, o.class === 'Exercise' ? word('drill') : word('actual'));
const orders = (list) => table(['kind', 'number', 'state', 'centres', 'sent', 'accepted', 'refused', 'silent', 'expires'], list.map((o) =>
  row(h('td', {}, h('a', { href: `#/order/${encodeURIComponent(o.id)}` }, o.kind)), o.number, banner(o), o.gateways, o.sent, o.accepted, o.not_accepted, o.silent, clock(o.expires))));
function order(o) {
  const silent = o.gateways.filter((g) => ['silent', 'offline'].includes(g.state));
  return [h('h2', {}, `${o.kind} ${o.number}`), h('table', {}, h('tbody', {}, row(banner(o)))), silent.length ? [h('h2', {}, word('phoneList')), table(['centre', 'phone', 'sent'], silent.map((g) => row(name(g), h('td', {}, g.phone ? h('a', { href: `tel:${g.phone}` }, g.phone) : '——'), g.sent)))] : null,
    h('h2', {}, word('centres')), table(['centre', 'state', 'sent', 'text', 'room'], o.gateways.map((g) => row(name(g), word(g.result ?? g.state), g.sent, g.reason ?? '', Object.entries(g.rooms ?? {}).map(([r, s]) => `${r} ${word(s)}`).join('，'))))];
}

/** Address of the data and how it is drawn, for the part after '#'. */
function route() {
  const [, place, id] = location.hash.split('/');
  const pages = { alarms: ['/api/v1/alarms', alarms], aside: ['/api/v1/aside', aside], orders: ['/api/v1/orders', orders], centre: [`/api/v1/centres/${id}`, centre], order: [`/api/v1/orders/${id}`, order] };
  return pages[place] ?? ['/api/v1/centres', overview];
}
function draw() {
  const held = document.activeElement?.id === 'search' ? document.activeElement.selectionStart : null;
  if (data !== null) view.replaceChildren(...[route()[1](data)].flat(9).filter(Boolean));
  if (held !== null) { const search = document.getElementById('search'); search?.focus(); search?.setSelectionRange(held, held); }
}
function frame() {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  document.documentElement.dataset.theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  document.title = word('title');
  for (const element of document.querySelectorAll('[data-word]')) element.textContent = word(element.dataset.word);
  for (const a of document.querySelectorAll('nav a')) a.toggleAttribute('aria-current', a.getAttribute('href') === (location.hash || '#/'));
  document.getElementById('language').textContent = word('other');
}
/** Reads what this view shows; when the server has been silent for a while, says so until it answers. */
async function read() {
  const [path] = route(), asked = location.hash;
  try {
    const answer = await fetch(path, { signal: AbortSignal.timeout(10_000) });
    if (!answer.ok && answer.status !== 404) throw new Error(answer.statusText);
    const got = answer.ok ? await answer.json() : [];
    if (asked !== location.hash) return;
    answered = Date.now();
    data = got;
    // A chart that somebody looks at is not taken away.
    if (!asked.startsWith('#/centre/') || shown !== asked || !document.querySelector('.chart')) draw();
    shown = asked;
    if (path === '/api/v1/centres') {
      const away = got.filter((c) => !c.online).length;
      document.getElementById('summary').textContent = `${got.length} ${word('centres')}${away ? ` · ${away} ${word('offline')}` : ''}`;
    }
  } catch { /* Told below. */ }
  cut.hidden = Date.now() - answered < OFFLINE_MS;
  cut.textContent = `${word('cut')} ${clock(answered)}`;
}
document.getElementById('language').addEventListener('click', () => { language = language === 'zh' ? 'en' : 'zh'; localStorage.setItem('language', language); frame(); draw(); });
addEventListener('hashchange', () => { data = null; view.replaceChildren(h('p', {}, word('loading'))); frame(); read(); view.focus(); });
frame();
view.replaceChildren(h('p', {}, word('loading')));
read();
setInterval(read, EVERY_MS);
