/*
 * run.mjs [FOLDER]: runs every test file of a folder (its own), each in a
 * process of its own, and adds the tallies.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = process.argv[2] ? path.resolve(process.argv[2]) :
  path.dirname(fileURLToPath(import.meta.url));
const files = fs.readdirSync(here).filter((f) => f.endsWith('.test.mjs'))
  .sort();
const sum = [0, 0, 0];

const run = (file) => new Promise((done) => {
  const child = spawn(process.execPath, [path.join(here, file)],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  const parts = [];
  child.stdout.on('data', (b) => parts.push(b));
  child.on('close', (code) => {
    const lines = Buffer.concat(parts).toString().trimEnd().split('\n');
    const m = /^(\d+) passed, (\d+) failed, (\d+) skipped$/.exec(
      lines[lines.length - 1]);
    if (m) {
      lines.pop();
      for (let i = 0; i < 3; i++) sum[i] += Number(m[i + 1]);
    } else {
      lines.push(`not ok ${file}: ended with ${code} and without a tally`);
      sum[1]++;
    }
    const text = lines.filter((l) => l !== '').join('\n');
    console.log(`# ${file}: ${m ? m[0] : 'broken'}`);
    if (text) console.log(text);
    done();
  });
});

for (const file of files) await run(file);
console.log(`${sum[0]} passed, ${sum[1]} failed, ${sum[2]} skipped`);
process.exit(sum[1] || !sum[0] ? 1 : 0);
