// Runs the worked cases of translation through a program:
//	node tests/vectors.mjs PROGRAM [FILTER]
// FILTER: only the cases whose name contains it.  One line for each failure
// with the reason, then the tally; exit status 1 if anything failed.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { compare, match } = require('./vectors/tools/compare.js');
const { check } = require('./vectors/tools/grammar.js');
const { parseSSE } = require('./vectors/tools/sse.js');

const root = path.join(path.dirname(fileURLToPath(import.meta.url)),
	'vectors');
const [, , program, filter = ''] = process.argv;
if (!program) {
	console.error('usage: node tests/vectors.mjs PROGRAM [FILTER]');
	process.exit(2);
}

const json = (text) => JSON.parse(text);
const same = (want, got) => {
	const errs = [];
	match(want, got, '', new Map(), errs);
	return errs;
};

// What `want` names must be in `got`; an object may have more members.
function within(want, got, at, errs) {
	if (want && typeof want === 'object' && !Array.isArray(want) &&
	    got && typeof got === 'object')
		for (const k of Object.keys(want))
			within(want[k], got[k], `${at}.${k}`, errs);
	else
		for (const e of same(want, got))
			errs.push(`${at}${e.replace(/^\$/, '')}`);
}

// ---- what a client has of a stream when it is over ----

function finalOfAnthropic(events) {
	const r = { text: '', thinking: '', tools: [], toolNames: [],
		usage: {} };
	const blocks = [];
	for (const { data } of events) {
		const d = json(data);
		if (d.type === 'error')
			r.error = d.error.type;
		if (d.type === 'message_start')
			Object.assign(r.usage, d.message.usage);
		if (d.type === 'content_block_start')
			blocks[d.index] = { ...d.content_block, json: '' };
		if (d.type === 'content_block_delta') {
			const b = blocks[d.index];
			b.json += d.delta.partial_json ?? '';
			r.text += d.delta.text ?? '';
			r.thinking += d.delta.thinking ?? '';
		}
		if (d.type === 'content_block_stop') {
			const b = blocks[d.index];
			if (b.type !== 'tool_use')
				continue;
			r.tools.push({ id: b.id, name: b.name,
				input: json(b.json) });
			r.toolNames.push(b.name);
		}
		if (d.type === 'message_delta') {
			r.stop_reason = d.delta.stop_reason;
			Object.assign(r.usage, d.usage);
		}
	}
	return r;
}

function finalOfOpenai(events) {
	const r = { text: '', tools: [] };
	for (const { data } of events) {
		if (data === '[DONE]')
			continue;
		const d = json(data);
		if (d.error) {
			r.error = d.error.message;
			continue;
		}
		if (d.usage)
			r.usage = d.usage;
		for (const c of d.choices.filter((x) => x.index === 0)) {
			r.text += c.delta.content ?? '';
			if (c.delta.thinking_blocks)
				r.thinking_blocks = c.delta.thinking_blocks;
			if (c.finish_reason)
				r.finish_reason = c.finish_reason;
			for (const t of c.delta.tool_calls ?? []) {
				r.tools[t.index] ??= { id: t.id,
					name: t.function?.name ??
					    t.custom?.name,
					arguments: '' };
				r.tools[t.index].arguments +=
				    t.function?.arguments ??
				    t.custom?.input ?? '';
			}
		}
	}
	return r;
}

function finalOfGemini(events) {
	const r = { text: '', calls: [] };
	for (const { data } of events) {
		const d = json(data);
		if (d.error)
			r.error = d.error.status;
		if (d.usageMetadata)
			r.usage = d.usageMetadata;
		for (const c of d.candidates ?? []) {
			if (c.index !== 0)
				continue;
			if (c.finishReason)
				r.finishReason = c.finishReason;
			for (const p of c.content.parts) {
				if (p.text && !p.thought)
					r.text += p.text;
				if (p.thoughtSignature && p.thought)
					r.signature = p.thoughtSignature;
				if (p.functionCall)
					r.calls.push(p.functionCall);
			}
		}
	}
	return r;
}

function finalOfResponses(events) {
	const r = { text: '', calls: [], custom: [] };
	for (const { data } of events) {
		const d = json(data);
		if (d.type === 'response.output_text.delta')
			r.text += d.delta;
		if (!/^response\.(completed|incomplete|failed)$/.test(d.type))
			continue;
		r.status = d.response.status;
		r.input_tokens = d.response.usage?.input_tokens;
		r.error = d.response.error?.code;
		for (const i of d.response.output) {
			if (i.type === 'function_call')
				r.calls.push({ call_id: i.call_id,
					name: i.name,
					arguments: i.arguments });
			if (i.type === 'custom_tool_call')
				r.custom.push({ call_id: i.call_id,
					name: i.name, input: i.input });
		}
	}
	return r;
}

const finals = { anthropic: finalOfAnthropic, openai: finalOfOpenai,
	gemini: finalOfGemini, responses: finalOfResponses };

// ---- one case ----

function lookup(value, where) {
	for (const step of where.split('.'))
		value = value?.[step];
	return value;
}

function checkOne(value, c) {
	const got = lookup(value, c.path);
	if (c.absent)
		return got === undefined ? [] : [`${c.path}: not expected`];
	return same(c.equals, got).map((e) => `${c.path}: ${e}`);
}

function checkStream(c, text) {
	const errs = [];
	const asked = c.request?.stream_options?.include_usage === true;
	for (const e of check(c.client, text, { includeUsage: asked }))
		errs.push(`grammar: ${e}`);
	if (c.final) {
		const got = finals[c.client](parseSSE(text));
		within(c.final, got, 'final', errs);
	}
	return errs;
}

function run(id) {
	const dir = path.join(root, id);
	const read = (kind) => {
		const name = fs.readdirSync(dir).find((f) =>
			f.startsWith(`${kind}.`));
		return { name, text: fs.readFileSync(path.join(dir, name),
			'utf8') };
	};
	const c = json(fs.readFileSync(path.join(dir, 'case.json'), 'utf8'));
	const want = read('out');
	const p = spawnSync(program, { encoding: 'utf8', maxBuffer: 1 << 28,
		input: JSON.stringify({ case: c, input: read('in').text }) });
	if (p.error || p.status !== 0)
		return [`${p.error ?? p.stderr.trim().slice(0, 1000)} ` +
		    `(exit status ${p.status ?? p.signal})`];
	const got = json(p.stdout);
	const errs = [];
	if (got.status !== (c.status_out ?? 200))
		errs.push(`status ${got.status}: ${got.text.slice(0, 300)}`);
	if (c.path_out !== undefined && got.path !== c.path_out)
		errs.push(`path ${got.path}, want ${c.path_out}`);
	if (c.headers_out)
		errs.push(...same(c.headers_out, got.headers)
			.map((e) => `headers ${e}`));
	if (c.warnings)
		errs.push(...same([...c.warnings].sort(),
			[...new Set(got.warnings)].sort())
			.map((e) => `warnings ${e} in ${got.warnings}`));
	const sse = want.name.endsWith('.sse');
	errs.push(...compare(sse ? 'sse' : 'json', want.text, got.text));
	if (sse)
		errs.push(...checkStream(c, got.text));
	else
		for (const one of c.checks ?? [])
			errs.push(...checkOne(json(got.text), one));
	return errs;
}

const failed = [];
let passed = 0;
for (const id of fs.readdirSync(root).sort()) {
	if (!fs.existsSync(path.join(root, id, 'case.json')) ||
	    !id.includes(filter))
		continue;
	let errs;
	try {
		errs = run(id);
	} catch (e) {
		errs = [`${e}`];
	}
	if (errs.length === 0)
		passed++;
	else {
		failed.push(id);
		console.log(`not ok ${id}: ${errs.slice(0, 6).join('; ')}`);
	}
}
console.log(`${passed} passed, ${failed.length} failed, 0 skipped`);
process.exit(failed.length === 0 && passed > 0 ? 0 : 1);
