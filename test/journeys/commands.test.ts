// `kiungo channels` and `kiungo messages` as a person gives them, beside a real engine that they find by its data folder.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newDataFolder, startEngine, until, type RunningEngine } from '../support/engine-process.ts';
import { codeOf, MllpClient } from '../support/mllp-client.ts';

const data = newDataFolder();
const folder = join(data, 'git');
let engine: RunningEngine;

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

function kiungo(words: readonly string[], settings: Readonly<Record<string, string>> = {}): Ended {
  const ended = spawnSync(process.execPath, [resolve('engine/app/kiungo.ts'), ...words], {
    cwd: folder,
    env: { PATH: process.env['PATH'], KIUNGO_DATA: data, KIUNGO_HTTP_PORT: '0', ...settings },
    encoding: 'utf8',
  });
  return { code: ended.status, output: ended.stdout, errors: ended.stderr };
}

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

const lab = (body: string): string => `
name: lab
source: { kind: http }
destinations: [{ name: out, to: { kind: file, folder: lab }, body: ${body} }]
`;

beforeAll(async () => {
  mkdirSync(folder);
  for (const name of ['bad', 'empty']) mkdirSync(join(folder, name));
  write('lab.yaml', lab('raw'));
  write('lab-2.yaml', lab('facts'));
  write('ward.json', '{"channels":[{"name":"ward","source":{"kind":"http"}}]}');
  write('bad/one.yaml', lab('raw'));
  write('bad/two.yaml', 'name: two\n');
  write('no.yaml', 'a: [\n');
  engine = await startEngine(data);
}, 90_000);
afterAll(() => engine.stop());

/** Each line is given after the ones above it: the words, the exit code, and what it says (errors where it is refused). */
const channelLines: readonly (readonly [words: string, code: number, says: RegExp])[] = [
  ['channels', 2, /kiungo channels rollback <name> <version> \[--comment …\]/],
  ['channels --help', 0, /kiungo channels list/],
  ['channels show --help', 0, /^kiungo channels show <name>\n/],
  ['channels show', 2, /^kiungo channels show <name>\n/],
  ['channels list', 0, /^name +position .*\nhl7 +running +mllp \d+ open +settings\n$/],
  ['channels import lab.yaml ward.json --comment first', 0, /^lab +running +http open +version 1$/m],
  ['channels show lab', 0, /\n\nname: lab\nsource:\n {2}kind: http\n/],
  ['channels diff lab --file lab.yaml', 0, /^$/],
  ['channels diff lab --file lab-2.yaml', 1, /^destinations\[0\]\.body: "raw" → "facts"\n$/],
  ['channels diff lab --file ward.json', 2, /ward\.json has no channel lab/],
  ['channels import lab-2.yaml', 0, /^lab +running +http open +version 2$/m],
  ['channels diff lab', 1, /^destinations\[0\]\.body: "raw" → "facts"\n$/],
  ['channels diff lab 2 1', 1, /"facts" → "raw"/],
  ['channels diff lab 2 2', 0, /^$/],
  ['channels rollback lab 1 --comment back', 0, /version 3/],
  ['channels history lab', 0, /^3 +\S+Z +admin +back\n2 +\S+Z +admin\n1 +\S+Z +admin +first$/m],
  ['channels rollback lab 9', 2, /version 9 is not known here/],
  ['channels pause lab ward', 0, /^lab +paused .*\nward +paused /m],
  ['channels stop lab', 0, /^lab +stopped +http closed/m],
  ['channels start lab', 0, /^lab +running +http open/m],
  ['channels drain ward', 0, /^ward +(draining|stopped) /m],
  ['channels remove ward --comment unused', 0, /^ward is removed\n$/],
  ['channels history ward', 0, /removed unused/],
  ['channels show ward', 2, /channel\/ward is not known here/],
  ['channels import bad', 2, /two|source/],
  ['channels import no.yaml', 2, /^no\.yaml: /],
  ['channels import nowhere', 2, /^nowhere cannot be read/],
  ['channels test no-cases.yaml', 2, /^no-cases\.yaml: there is no such file or folder\n$/],
  ['channels test empty', 2, /^empty: there are no cases \(\*\.yaml\) in this folder\n$/],
  ['messages show-archive nowhere', 2, /^there is no nowhere\n$/],
  ['channels list --colour', 2, /^Unknown option '--colour'\n$/],
  ['channels export nobody', 2, /there is no channel nobody/],
  ['channels diff hl7', 2, /has no versions/],
  ['messages replay', 2, /say which messages/],
  ['messages replay x --state dead', 2, /not both/],
  ['messages search --state odd', 2, /state is one of/],
];

test.each(channelLines)('kiungo %s', (words, code, says) => {
  const ended = kiungo(words.split(' '));
  expect([ended.code, ended.code === 2 && ended.errors !== '' ? ended.errors : ended.output]).toEqual([
    code,
    expect.stringMatching(says),
  ]);
});

describe('for scripts', () => {
  test('--json is what the admin API answers', async () => {
    const { output } = kiungo(['channels', 'list', '--json']);
    const { items } = (await (await engine.fetch('/admin/channels')).json()) as { items: object[] };
    expect(JSON.parse(output)).toEqual(items);
  });

  test('what is exported into a folder is what an import takes, without a change', () => {
    const { code, output } = kiungo(['channels', 'export', '--to', 'out']);
    expect([code, output]).toEqual([0, 'out/hl7.yaml\nout/lab.yaml\n']);
    expect(readdirSync(join(folder, 'out'))).toEqual(['hl7.yaml', 'lab.yaml']);
    for (const name of ['hl7', 'lab']) {
      expect(kiungo(['channels', 'diff', name, '--file', `out/${name}.yaml`])).toMatchObject({ code: 0 });
    }
    const exported = JSON.parse(kiungo(['channels', 'export', 'lab']).output) as { channels: object[] };
    expect(exported.channels).toMatchObject([{ name: 'lab' }]);
  });
});

describe('messages', () => {
  const oru = (control: string, type = 'ORU^R01'): string =>
    [
      `MSH|^~\\&|BC-5380|Mindray|||20260112083000||${type}|${control}|P|2.3.1||||||UNICODE`,
      `PID|1||MRN-${control}^^^^MR||Otieno^Achieng||19870412000000|Female`,
      `OBR|1||${control}|00001^Automated Count^99MRC|||20260112083000|||||||||||||||||HM||||||||Technician`,
      'OBX|1|NM|6690-2^WBC^LN||5.10|10*3/uL|4.00-10.00|N|||F',
      '',
    ].join('\r');

  interface Found {
    readonly total: number;
    readonly items: readonly { readonly id: string }[];
  }
  const found = (...words: readonly string[]): Found =>
    JSON.parse(kiungo(['messages', 'search', ...words, '--json']).output) as Found;

  beforeAll(async () => {
    const client = new MllpClient(engine.mllpPort);
    expect(codeOf(await client.send(oru('M1')))).toBe('AA');
    await client.send(oru('M\u001b[2J2', 'ZZZ^Z01'));
    client.close();
    await until(async () => {
      const waiting = await engine.fetch('/admin/messages?state=received');
      return ((await waiting.json()) as Found).total === 0;
    }, 20_000);
  }, 60_000);

  test('are found, and what came over the wire does not steer the terminal', () => {
    const { code, output } = kiungo(['messages', 'search', '--channel', 'hl7']);
    expect(code).toBe(0);
    expect(output).toMatch(/ORU\^R01 +M1 +processed/);
    expect(output).toMatch(/ZZZ\^Z01 +M\ufffd\[2J2 +dead/);
    expect(output).toMatch(/\n2 of 2\n$/);
    expect(found('--patient', 'MRN-M1').total).toBe(1);
    expect(found('--text', 'Achieng', '--state', 'processed').total).toBe(1);
    expect(kiungo(['messages', 'dead']).output).toMatch(/no-map: /);
  });

  test('are opened', () => {
    const { id } = found('--control-id', 'M1').items[0]!;
    expect(kiungo(['messages', 'show', id, '--raw']).output.split('\n')[1]).toMatch(/^PID\|1\|\|MRN-M1/);
    expect(kiungo(['messages', 'show', id, '--answer']).output).toMatch(/\nMSA\|AA\|M1/);
    expect(JSON.parse(kiungo(['messages', 'show', id]).output)).toMatchObject({ id, state: 'processed' });
    expect(JSON.parse(kiungo(['messages', 'show', id, '--parsed']).output)).toMatchObject({
      type: 'ORU^R01',
    });
  });

  test('are replayed, one by its id, many by a search', () => {
    const { id } = found('--state', 'dead').items[0]!;
    expect(kiungo(['messages', 'replay', id])).toMatchObject({ code: 0, output: `${id} waits again\n` });
    const { code, output } = kiungo(['messages', 'replay', '--control-id', 'M1', '--per-second', '100']);
    expect([code, output]).toEqual([0, expect.stringMatching(/: 1 messages\ndone: 1 of 1 replayed\n$/)]);
    expect(kiungo(['messages', 'replay', id, '--destination', 'nobody'])).toMatchObject({ code: 2 });
  });
});

describe('where the engine is', () => {
  test('--url names one elsewhere; the settings say who asks', () => {
    const secret = JSON.parse(readFileSync(join(data, 'administrator.json'), 'utf8')) as Record<
      string,
      string
    >;
    const elsewhere = {
      KIUNGO_DATA: join(data, 'elsewhere'),
      KIUNGO_ADMIN_CLIENT_ID: secret['clientId']!,
      KIUNGO_ADMIN_CLIENT_SECRET: secret['clientSecret']!,
    };
    expect(kiungo(['channels', 'list', '--url', engine.base], elsewhere)).toMatchObject({ code: 0 });
    const wrong = { ...elsewhere, KIUNGO_ADMIN_CLIENT_SECRET: 'x'.repeat(16) };
    expect(kiungo(['channels', 'list', '--url', engine.base], wrong)).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/does not take these credentials/) as unknown,
    });
  });

  test('where none runs, one line says what to do', async () => {
    await engine.stop();
    expect(existsSync(join(data, 'running.json'))).toBe(false);
    expect(kiungo(['channels', 'list'])).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/^no engine runs over .*: start it, .*\n$/) as unknown,
    });
    expect(kiungo(['channels', 'list', '--url', engine.base]).errors).toMatch(/^no engine answers at http/);
    engine = await startEngine(data);
  }, 60_000);
});
