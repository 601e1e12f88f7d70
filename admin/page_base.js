/* Small things: elements, texts of figures, the clock. */

const $ = (id) => document.getElementById(id);
const SVG = 'http://www.w3.org/2000/svg';

function fill(el, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) el.addEventListener(name.slice(2), value);
    else el.setAttribute(name, value === true ? '' : String(value));
  }
  el.append(...children.flat().filter((c) => c !== null && c !== undefined));
  return el;
}

/* An element; strings among the children become text, never markup. */
function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function icon(name) {
  return svg('svg', { class: 'icon', 'aria-hidden': 'true' },
    svg('use', { href: `#i-${name}` }));
}

/* Changes only what differs, so that a selection or a reader stays. */
function put(el, text) {
  if (el.textContent !== text) el.textContent = text;
}

function mark(el, name, value) {
  if (value === null || value === undefined || value === false)
    el.removeAttribute(name);
  else if (el.getAttribute(name) !== String(value))
    el.setAttribute(name, String(value));
}

/* Puts new children in place of the old ones, if a look at them differs. */
function swap(el, look, make) {
  const now = JSON.stringify(look);
  if (el.look === now) return;
  el.look = now;
  const held = el.contains(document.activeElement) &&
    document.activeElement.dataset.act;
  el.replaceChildren(...make().flat().filter((c) => c));
  if (held) el.querySelector(`[data-act="${held}"]`)?.focus();
}

/*
 * Makes the rows of `parent` those of the items, in their order: rows stay
 * with their key, so that focus, selection and what is open stay too.
 */
function sync(parent, items, key, make, update) {
  const had = document.activeElement;
  const rows = new Map();
  for (const row of parent.children) rows.set(row.key, row);
  let next = parent.firstElementChild;
  for (const item of items) {
    const k = key(item);
    let row = rows.get(k);
    rows.delete(k);
    if (!row) {
      row = make(item);
      row.key = k;
    }
    if (row === next) next = next.nextElementSibling;
    else parent.insertBefore(row, next);
    update(row, item);
  }
  for (const row of rows.values()) row.remove();
  if (had !== document.activeElement && had.isConnected) had.focus();
}

/* ---- figures as text --------------------------------------------------- */

const NONE = '–';
const NBSP = '\u00a0';

/* A figure and its unit stay on one line. */
const whole = (text) => text.replaceAll(' ', NBSP);

const plain = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact',
  maximumSignificantDigits: 3 });

const count = (n) => (n === null || n === undefined ? NONE :
  Math.abs(n) < 10000 ? plain.format(n) : short.format(n));
const plural = (n, one, many = `${one}s`) => `${count(n)} ${
  n === 1 ? one : many}`;
const known = (n) => n !== null && n !== undefined;

function percent(rate) {
  if (!known(rate)) return NONE;
  const p = rate * 100;
  return whole(`${p > 99 && p < 100 ? Math.min(99.9, p).toFixed(1) :
    p.toFixed(p > 0 && p < 1 ? 1 : 0)} %`);
}

/* How long: of a request, with parts of a second. */
function took(ms) {
  if (!known(ms)) return NONE;
  if (ms < 1) return whole('< 1 ms');
  if (ms < 1000) return whole(`${Math.round(ms)} ms`);
  if (ms < 10000) return whole(`${(ms / 1000).toFixed(1)} s`);
  return span(ms);
}

/* How long: of a wait, an age. */
function span(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  const m = Math.floor(s / 60);
  const hours = Math.floor(m / 60);
  const days = Math.floor(hours / 24);
  const two = (a, b) => whole(b.startsWith('0') ? a : `${a} ${b}`);
  if (m === 0) return whole(`${s} s`);
  if (m < 10) return two(`${m} min`, `${s % 60} s`);
  if (hours === 0) return whole(`${m} min`);
  if (days === 0) return two(`${hours} h`, `${m % 60} min`);
  return two(`${days} d`, `${hours % 24} h`);
}

/* Of what is past, the larger part will do. */
function coarse(ms) {
  return ms < 60000 ? span(ms) : span(ms).split(NBSP).slice(0, 2).join(NBSP);
}

/* ---- the clock: that of Spillway, which may differ from the browser's -- */

const clock = { skew: 0 };
const now = () => Date.now() + clock.skew;
const ago = (ms) => (now() - ms < 1500 ? 'just now' :
  `${coarse(now() - ms)} ago`);

function dayTime(ms) {
  const d = new Date(ms);
  const time = d.toLocaleTimeString('en-GB');
  return d.toDateString() === new Date(now()).toDateString() ? time :
    `${d.toLocaleDateString('en-CA')} ${time}`;
}

/* What counts by itself: texts that depend on the time. */
const counts = {
  ago,
  age: (ms) => span(now() - ms),
  left: (ms) => (ms > now() ? span(ms - now() + 499) : 'a moment'),
};

function ticking(kind, ms) {
  const el = h('span', { 'data-count': kind, 'data-ms': ms },
    counts[kind](ms));
  if (kind === 'ago') el.title = dayTime(ms);
  return el;
}

function tick() {
  for (const el of document.querySelectorAll('[data-count]'))
    put(el, counts[el.dataset.count](Number(el.dataset.ms)));
}

/* ---- telling ----------------------------------------------------------- */

/* For those who listen: what changed and matters. */
function tell(text) {
  put($('told'), '');
  setTimeout(() => put($('told'), text), 50);
}

function toast(text, { level = 'good', act = null, label = '',
  ms = 8000 } = {}) {
  const box = h('div', { class: 'toast', 'data-level': level },
    icon(level === 'good' ? 'up' : level === 'bad' ? 'down' : 'warn'),
    h('span', {}, text));
  let timer;
  const away = () => {
    clearTimeout(timer);
    box.remove();
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(away, ms);
  };
  if (act) {
    const button = h('button', { type: 'button', onclick: () => {
      away();
      act();
    } }, label);
    box.append(button);
    setTimeout(() => button.focus(), 0);
  }
  box.append(h('button', { type: 'button', class: 'plain square',
    'aria-label': 'Dismiss', onclick: away }, icon('close')));
  for (const e of ['pointerenter', 'focusin'])
    box.addEventListener(e, () => clearTimeout(timer));
  for (const e of ['pointerleave', 'focusout'])
    box.addEventListener(e, wait);
  $('toasts').append(box);
  wait();
}

/* One line that can be copied. */
function copyable(text, name) {
  const word = h('span', {}, 'Copy');
  const button = h('button', { type: 'button', class: 'copy' },
    icon('copy'), word, h('span', { class: 'unseen' }, ` ${name}`));
  const pre = h('pre', { tabindex: '0', role: 'region',
    'aria-label': name }, text);
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
      put(word, 'Copied');
      tell(`${name}: copied`);
    } catch {
      getSelection().selectAllChildren(pre);
      put(word, 'Press Ctrl C');
    }
    setTimeout(() => put(word, 'Copy'), 2500);
  });
  return h('div', { class: 'code' }, pre, button);
}
