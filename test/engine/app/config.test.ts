// Settings: what is read, what is refused, and that docs/configuration.md shows the same table.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ConfigError, readConfig } from '../../../engine/app/read-config.ts';
import { settings } from '../../../engine/app/config.ts';

const noFile = join(tmpdir(), 'there-is-no-such-file.yaml');

function fileWith(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'kiungo-config-')), 'kiungo.yaml');
  writeFileSync(path, text);
  return path;
}

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('settings', () => {
  test('without any, the engine listens on this machine only and keeps its data in ./data', () => {
    expect(readConfig({}, noFile)).toMatchObject({
      bind: '127.0.0.1',
      httpPort: 8080,
      mllpPort: 2575,
      data: join(process.cwd(), 'data'),
      store: 'sqlite',
      publicUrl: undefined,
      logLevel: 'info',
      destinations: [{ name: 'ward', url: 'file:ward' }],
    });
  });

  test('the environment wins over kiungo.yaml, which wins over the default', () => {
    const file = fileWith('KIUNGO_HTTP_PORT: 9000\nKIUNGO_MLLP_PORT: 9001\n');
    expect(readConfig({ KIUNGO_HTTP_PORT: '0' }, file)).toMatchObject({ httpPort: 0, mllpPort: 9001 });
  });

  const refused: [rule: string, environment: Record<string, string>, problem: RegExp][] = [
    ['an unknown name is refused', { KIUNGO_HTTPPORT: '1' }, /KIUNGO_HTTPPORT is not a setting/],
    ['a port is a number', { KIUNGO_HTTP_PORT: 'http' }, /KIUNGO_HTTP_PORT: a whole number from 0 to 65535/],
    ['a port fits in sixteen bits', { KIUNGO_MLLP_PORT: '70000' }, /KIUNGO_MLLP_PORT: a whole number/],
    ['a public URL is http or https', { KIUNGO_PUBLIC_URL: 'ftp://x' }, /KIUNGO_PUBLIC_URL: a URL/],
    ['a level is one of four', { KIUNGO_LOG_LEVEL: 'loud' }, /one of debug, info, warn, error/],
    ['a store is known', { KIUNGO_STORE: 'postgres://x' }, /KIUNGO_STORE: sqlite, or a mongodb:\/\/ URL/],
    ['MongoDB is not there yet, and says so', { KIUNGO_STORE: 'mongodb://x' }, /SQLite only/],
    ['client id and secret come together', { KIUNGO_ADMIN_CLIENT_ID: 'a' }, /set together/],
    [
      'a secret is long enough',
      { KIUNGO_ADMIN_CLIENT_ID: 'a', KIUNGO_ADMIN_CLIENT_SECRET: 'short' },
      /16 characters/,
    ],
    ['a destination names its kind', { KIUNGO_DESTINATIONS: 'ward=ftp://x' }, /name=mllp:\/\/host:port/],
  ];
  test.each(refused)('%s', (_rule, environment, problem) => {
    expect(problemsOf(() => readConfig(environment, noFile)).join('\n')).toMatch(problem);
  });

  test('all problems are told at once', () => {
    const environment = { KIUNGO_HTTP_PORT: 'x', KIUNGO_MLLP_PORT: 'y', KIUNGO_NONSENSE: 'z' };
    expect(problemsOf(() => readConfig(environment, noFile))).toHaveLength(3);
  });

  test('a kiungo.yaml that is not a list of settings is refused', () => {
    expect(problemsOf(() => readConfig({}, fileWith('- 1\n- 2\n')))[0]).toMatch(/must be a list of lines/);
  });
});

test('docs/configuration.md shows every setting as the table has it', () => {
  const rows = Object.values(settings).map(
    ({ name, byDefault, sentence }) =>
      `| \`${name}\` | ${byDefault === undefined ? '' : `\`${byDefault}\``} | ${sentence} |`,
  );
  const shown = readFileSync('docs/configuration.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  expect(shown).toEqual(rows);
});
