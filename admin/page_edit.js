/* The dialog that adds and changes a backend. */

const addresses = {
  claude: 'https://api.anthropic.com',
  openai: 'https://api.openai.com',
  gemini: 'https://generativelanguage.googleapis.com',
};

const number = { type: 'text', inputmode: 'numeric' };
const fields = [
  { name: 'name', label: 'Name', hint: 'What logs and answers call it.',
    needed: true },
  { name: 'api_type', label: 'API', options: [['claude', 'Anthropic'],
    ['openai', 'OpenAI, or compatible'], ['gemini', 'Google Gemini']] },
  { name: 'base_url', label: 'Address', type: 'url', needed: true,
    hint: 'As the provider names it; a path is kept.' },
  { name: 'token', label: 'Key', hint:
    'The key itself, ${NAME} of the environment, or @/path of a file. ' +
    'It is only shown masked; left as it is, it stays.' },
  { name: 'model', label: 'Always this model', group: 'Models', hint:
    'Whatever the client asks for. Empty: as the client says.' },
  { name: 'models', label: 'Only these models', lines: true, hint:
    'One a line, * for anything, as in claude-*. “gpt-4o = llama-3” also ' +
    'renames. Empty: all.' },
  { name: 'priority', label: 'Priority', group: 'Order and limits', number,
    hint: 'Lower ones are asked first. Empty: the order of the list.' },
  { name: 'weight', label: 'Weight', number,
    hint: 'Its share when requests are spread by weight.' },
  { name: 'requests_per_minute', label: 'Requests a minute', number,
    hint: '0: no limit.' },
  { name: 'max_concurrent', label: 'Requests at a time', number,
    hint: '0: no limit.' },
  { name: 'auth', label: 'How the key is sent', options: [
    ['auto', 'As the provider expects it'], ['bearer', 'Authorization: Bearer'],
    ['x-api-key', 'x-api-key'], ['x-goog-api-key', 'x-goog-api-key'],
    ['both', 'Bearer and x-api-key'],
    ['passthrough', 'The client’s own key is passed on']] },
];

const fresh = { name: '', api_type: 'claude', base_url: addresses.claude,
  token: '', model: null, models: [], priority: null, weight: 1,
  requests_per_minute: 0, max_concurrent: 0, auth: 'auto' };

function shown(field, value) {
  if (!field.lines) return known(value) ? String(value) : '';
  return Array.isArray(value) ? value.join('\n') :
    Object.entries(value ?? {}).map(([k, v]) => `${k} = ${v}`).join('\n');
}

/* What a field says, as the config has it; null: nothing. */
function meant(field, text) {
  const t = text.trim();
  if (t === '') return null;
  if (field.number) {
    if (!/^\d+$/.test(t)) throw new Fault(400, 'A whole number.', field.name);
    return Number(t);
  }
  if (!field.lines) return t;
  const lines = t.split('\n').map((l) => l.trim()).filter(Boolean);
  const pairs = lines.map((l) => l.split('=').map((x) => x.trim()));
  if (pairs.every((x) => x.length === 1)) return lines;
  if (pairs.every((x) => x.length === 2 && x[0] && x[1]))
    return Object.fromEntries(pairs);
  throw new Fault(400, 'Either each line has “= name”, or none.',
    field.name);
}

const edit = {
  old: null,                    /* the backend; null: a new one */

  make() {
    let into = $('edit-fields');
    for (const f of fields) {
      if (f.group) {
        into = h('div', { class: 'fields' });
        f.details = h('details', {}, h('summary', {}, f.group), into);
        $('edit-fields').append(f.details);
      }
      const id = `e-${f.name}`;
      const common = { id, name: f.name, spellcheck: 'false',
        autocomplete: 'off', 'aria-describedby': `${id}-fault ${id}-hint`,
        'aria-required': f.needed ? 'true' : null };
      f.box = into.closest('details');
      f.input = f.options ? h('select', common, f.options.map(([v, t]) =>
        h('option', { value: v }, t))) : f.lines ?
        h('textarea', { ...common, rows: 3 }) :
        h('input', { type: f.type ?? 'text', ...f.number, ...common });
      f.fault = h('p', { id: `${id}-fault`, class: 'fault' });
      into.append(h('div', { class: 'field' },
        h('label', { for: id }, f.label), f.input, f.fault,
        h('p', { id: `${id}-hint`, class: 'hint quiet' }, f.hint ?? '')));
    }
    const api = fields.find((f) => f.name === 'api_type').input;
    const url = fields.find((f) => f.name === 'base_url').input;
    api.addEventListener('change', () => {
      const usual = Object.values(addresses);
      if (url.value === '' || usual.includes(url.value))
        url.value = addresses[api.value] ?? '';
    });
    $('edit-form').addEventListener('submit', edit.save);
    $('edit-try').addEventListener('click', edit.test);
    for (const id of ['edit-cancel', 'edit-close'])
      $(id).addEventListener('click', () => $('edit').close());
    $('edit').addEventListener('click', (e) => {
      if (e.target === $('edit') && edit.same()) $('edit').close();
    });
  },

  open(b) {
    edit.old = b;
    put($('edit-title'), b ? `Edit ${b.name}` : 'Add a backend');
    const from = b ?? fresh;
    for (const f of fields) {
      const text = shown(f, from[f.name]);
      if (f.options && ![...f.input.options].some((o) => o.value === text))
        f.input.append(h('option', { value: text }, text));
      f.input.value = text;
      f.was = f.input.value;
      if (f.details) f.details.open = false;
    }
    edit.blame(null);
    edit.tested(null);
    $('edit').showModal();
    fields[0].input.focus();
  },

  same: () => fields.every((f) => f.input.value === f.was),

  /* Shows a fault where the API says that it is. */
  blame(e) {
    for (const f of fields) {
      put(f.fault, '');
      f.input.removeAttribute('aria-invalid');
    }
    put($('edit-fault'), '');
    if (!e) return;
    const parts = (e.field ?? '').split(/[.[\]]+/);
    const f = e.field && fields.findLast((x) => parts.includes(x.name));
    if (!f) {
      put($('edit-fault'), e.message);
      return;
    }
    put(f.fault, e.message);
    f.input.setAttribute('aria-invalid', 'true');
    if (f.box) f.box.open = true;
    f.input.focus();
  },

  /* The members that differ from what is in effect, or all of a new one. */
  body(all) {
    const out = {};
    for (const f of fields) {
      const value = meant(f, f.input.value);
      if (f.needed && value === null)
        throw new Fault(400, `${f.label}: needed.`, f.name);
      if (edit.old && !all) {
        if (f.input.value !== f.was) out[f.name] = value;
      } else if (value !== null) {
        if (edit.old || f.needed || f.name === 'api_type' ||
          f.input.value !== f.was) out[f.name] = value;
      }
    }
    return out;
  },

  async save(event) {
    event.preventDefault();
    edit.blame(null);
    $('edit-save').disabled = true;
    try {
      const body = edit.body(false);
      const b = edit.old;
      const said = b ?
        await call('PUT', `/api/backends/${nameOf(b)}`, body) :
        await call('POST', '/api/backends', body);
      $('edit').close();
      if (b) tests.delete(b.name);
      const name = body.name ?? b.name;
      toast(`${name} is ${b ? 'changed' : 'added'}, in use at once${
        said.saved === false ? ', but not saved' : ' and saved'}.`,
      { level: said.saved === false ? 'warn' : 'good' });
      await live.load();
      rowOf(name)?.querySelector('[data-act="edit"]').focus();
    } catch (e) {
      if (e.status !== 401) edit.blame(e);
    } finally {
      $('edit-save').disabled = false;
    }
  },

  tested(t) {
    swap($('edit-test'), t, () => (!t ? [] : [icon(t.busy ? 'busy' :
      t.ok ? 'up' : 'down'), h('span', {}, testText(t))]));
    mark($('edit-test'), 'data-level', !t || t.busy ? null : t.ok ? 'good' :
      'bad');
  },

  async test() {
    edit.blame(null);
    try {
      const body = edit.body(true);
      if (edit.old) body.name = edit.old.name;  /* whose key it has */
      edit.tested({ busy: true });
      edit.tested(edit.old && edit.same() ?
        await call('POST', to(edit.old, 'test')) :
        await call('POST', '/api/test', body));
    } catch (e) {
      edit.tested(null);
      if (e.status !== 401) edit.blame(e);
    }
  },
};
