/* A throw-away PKI, made by the openssl program in a folder of its own. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

let made = null;

const run = (dir, args) => execFileSync('openssl', args,
  { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
  '-nodes'];

function authority(dir, name) {
  fs.writeFileSync(path.join(dir, `${name}.index`), '');
  fs.writeFileSync(path.join(dir, `${name}.cnf`), [
    '[ca]', 'default_ca = d', '[d]', `database = ${name}.index`,
    'new_certs_dir = .', 'default_md = sha256', 'policy = p',
    'unique_subject = no', 'rand_serial = yes', 'email_in_dn = no',
    `certificate = ${name}.pem`, `private_key = ${name}.key`,
    'copy_extensions = copy', '[p]', 'commonName = supplied',
    '[req]', 'distinguished_name = n', '[n]', ''].join('\n'));
  run(dir, ['req', '-x509', ...curve, '-days', '30', '-config',
    `${name}.cnf`, '-subj', `/CN=${name}`, '-addext',
    'basicConstraints=critical,CA:TRUE', '-addext',
    'keyUsage=critical,keyCertSign', '-keyout', `${name}.key`, '-out',
    `${name}.pem`]);
}

const stamp = (days) => new Date(Date.now() + days * 864e5).toISOString()
  .replace(/[-:T]|\.\d+/g, '');

function leaf(dir, ca, name, host, from, to) {
  run(dir, ['req', '-new', ...curve, '-config', `${ca}.cnf`, '-subj',
    `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`, '-keyout',
    `${name}.key`, '-out', `${name}.csr`]);
  run(dir, ['ca', '-batch', '-notext', '-config', `${ca}.cnf`,
    '-startdate', stamp(from), '-enddate', stamp(to), '-in', `${name}.csr`,
    '-out', `${name}.pem`]);
  return { key: fs.readFileSync(path.join(dir, `${name}.key`)),
    cert: fs.readFileSync(path.join(dir, `${name}.pem`)) };
}

/* { ca: file of the authority, good, expired, early, name, stranger } */
export function certs() {
  if (made) return made;
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'spillway-pki-'));
  process.on('exit', () => fs.rmSync(dir, { recursive: true, force: true }));
  authority(dir, 'ca');
  authority(dir, 'other');
  made = {
    ca: path.join(dir, 'ca.pem'),
    good: leaf(dir, 'ca', 'good', 'api.example.test', -1, 20),
    expired: leaf(dir, 'ca', 'expired', 'api.example.test', -20, -1),
    early: leaf(dir, 'ca', 'early', 'api.example.test', 5, 20),
    name: leaf(dir, 'ca', 'name', 'elsewhere.example.test', -1, 20),
    stranger: leaf(dir, 'other', 'stranger', 'api.example.test', -1, 20),
  };
  return made;
}
