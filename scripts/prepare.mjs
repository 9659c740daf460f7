// Runs before start, test, check, demo and bench, on any Node from 18 on: brings what is missing, then stands aside.
// Installs the packages when they are absent or not those of the lock file, and compiles the FHIR definitions when they are
// absent or stale.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const inRoot = (...parts) => join(root, ...parts);

const install = (env) =>
  execFileSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    env,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });

const stamp = inRoot('node_modules', '.installed-lock');
const lock = createHash('sha256')
  .update(readFileSync(inRoot('package-lock.json')))
  .digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  console.log('Installing packages (once, a minute or two) …');
  install(process.env);
  // npm leaves out optional packages that do not name an older Node of the machine; with the tree's own Node it takes them.
  if (Number.parseInt(process.versions.node) < 20) {
    install({ ...process.env, PATH: `${inRoot('node_modules', '.bin')}${delimiter}${process.env.PATH}` });
  }
  writeFileSync(stamp, lock);
}

// The `node` package brings the Node that the engine runs on, whatever is installed on the machine.
const node = inRoot('node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
for (const part of [
  ['search', 'definitions'],
  ['fhir', 'shapes'],
]) {
  execFileSync(node, [inRoot('engine', ...part, 'prepare.ts')], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
}
