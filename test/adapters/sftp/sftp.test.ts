// SFTP against a real server: files that are whole or not there, taken once whatever happens, and a server that is known by its key.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import ssh2 from 'ssh2';
import { createSftpServer, type SftpServer } from '../../../adapters/sftp/simulator/sftp-server.ts';
import { createSftpDrop, type SftpDropOptions } from '../../../adapters/sftp/sftp-drop.ts';
import { createSftpWatch, type SftpWatch, type SftpWatchOptions } from '../../../adapters/sftp/sftp-watch.ts';
import type { Sender } from '../../../engine/index.ts';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import { until } from '../../engine/messages/house.ts';
import { oru } from '../hl7/support/raw-client.ts';
import { recordingInbox, type RecordingInbox } from '../hl7/support/recording-inbox.ts';

const clientKey = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
let folder: string;
let server: SftpServer;
let place: { readonly port: number; readonly hostKey: string };
/** What is called before each request of a client. */
let onRequest: (name: string) => void;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kiungo-sftp-'));
  mkdirSync(join(folder, 'in'));
  onRequest = () => undefined;
  server = createSftpServer({
    folder,
    user: 'kiungo',
    password: 'right',
    publicKey: clientKey.public,
    onRequest: (name) => onRequest(name),
  });
  place = await server.start();
});
afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const inside = (path: string): readonly string[] => readdirSync(join(folder, path));
const where = () => ({
  host: '127.0.0.1',
  port: place.port,
  user: 'kiungo',
  hostKeys: [place.hostKey],
  credentials: () => ({ password: 'right' }),
  folder: '/in',
});

describe('the drop', () => {
  let sender: Sender | undefined;
  afterEach(() => sender?.close());

  const delivery = { id: 'd-1', contentType: 'application/hl7-v2; charset=utf-8', payload: oru('1') };
  const sent = (change: Partial<SftpDropOptions> = {}, sending = delivery) => {
    sender = createSftpDrop({ ...where(), ...change });
    return sender.send(sending);
  };

  test.each([
    ['a password', () => ({ password: 'right' })],
    ['a private key', () => ({ privateKey: clientKey.private })],
  ])('with %s the file lies there whole, under the name of its delivery', async (_with, credentials) => {
    expect(await sent({ credentials })).toEqual({ state: 'done' });
    expect(inside('in')).toEqual(['d-1.hl7']);
    expect(readFileSync(join(folder, 'in', 'd-1.hl7'))).toEqual(oru('1'));
  });

  test('while it is written it has another name', async () => {
    const seen = new Set<string>();
    onRequest = (name) => {
      if (name === 'WRITE') for (const file of inside('in')) seen.add(file);
    };
    const payload = Buffer.alloc(1_000_000, 'x');
    await sent({}, { ...delivery, payload });
    expect([...seen]).toEqual(['.d-1.hl7.part']);
    expect(readFileSync(join(folder, 'in', 'd-1.hl7')).equals(payload)).toBe(true);
  });

  test('the same delivery again replaces its file; deliveries share a connection', async () => {
    await sent();
    await sender!.send({ ...delivery, payload: oru('2') });
    await Promise.all(['d-2', 'd-3'].map((id) => sender!.send({ ...delivery, id })));
    expect(inside('in')).toEqual(['d-1.hl7', 'd-2.hl7', 'd-3.hl7']);
    expect(readFileSync(join(folder, 'in', 'd-1.hl7'))).toEqual(oru('2'));
    expect(server.connections()).toBe(1);
  });

  test.each<[string, Partial<SftpDropOptions>]>([
    ['sftp-host-key', { hostKeys: [`SHA256:${'A'.repeat(43)}`] }],
    ['sftp-not-signed-in', { credentials: () => ({ password: 'wrong' }) }],
    ['sftp-not-signed-in', { credentials: () => ({ privateKey: 'no key' }) }],
    ['sftp-no-connection', { port: 1 }],
    ['sftp-refused', { folder: '/nowhere' }],
  ])('%s is tried again', async (code, change) => {
    expect(await sent(change)).toMatchObject({ state: 'failed', retry: 'transient', reason: { code } });
    expect(inside('in')).toEqual([]);
  });

  test('to a server with a strange key nothing is told, not even who we are', async () => {
    let isAsked = false;
    const credentials = () => ({ password: 'right' });
    onRequest = () => (isAsked = true);
    await sent({ hostKeys: [], credentials });
    expect(isAsked).toBe(false);
  });

  test('a connection that is lost is made again', async () => {
    onRequest = (name) => {
      if (name === 'WRITE') throw new Error('cut');
    };
    expect(await sent()).toMatchObject({ state: 'failed', reason: { code: 'sftp-connection-lost' } });
    onRequest = () => undefined;
    expect(await sender!.send(delivery)).toEqual({ state: 'done' });
    expect(inside('in')).toContain('d-1.hl7');
  });

  test('a server that does not answer is given up', async () => {
    const deaf = createServer(() => undefined);
    await new Promise<void>((done) => deaf.listen(0, '127.0.0.1', done));
    const { port } = deaf.address() as AddressInfo;
    const result = await sent({ port, connectTimeoutMs: 100 });
    expect(result).toMatchObject({ state: 'failed', reason: { code: 'sftp-no-connection' } });
    deaf.close();
  });
});

describe('the watch', () => {
  let watch: SftpWatch | undefined;
  afterEach(() => watch?.stop());

  async function watching(inbox: RecordingInbox, change: Partial<SftpWatchOptions> = {}): Promise<void> {
    watch = createSftpWatch({
      ...where(),
      ...{ inbox, channel: 'partner', mediaType: 'application/hl7-v2', endings: ['.hl7'] },
      ...{ everyMs: 20, maxBytes: 100_000, logger: silentLogger },
      ...{ complete: 'unchanged', afterwards: 'move', answers: false },
      ...change,
    });
    await watch.start();
  }
  const put = (name: string, content: string | Buffer = oru(name)): void =>
    writeFileSync(join(folder, 'in', name), content);
  const controlIds = ({ arrivals }: RecordingInbox): readonly string[] =>
    arrivals.map(({ raw }) => Buffer.from(raw).toString().split('|')[9] ?? '');

  test('whole files are kept in the order of their names, answered and moved aside; others are left alone', async () => {
    const inbox = recordingInbox();
    for (const name of ['b.hl7', 'a.HL7', 'notes.doc', '.hidden.hl7']) put(name);
    await watching(inbox, { answers: true });
    await until(() => inside('in').includes('taken') && inside('in/taken').length === 2);
    expect(controlIds(inbox)).toEqual(['a.HL7', 'b.hl7']);
    expect(inbox.arrivals[0]).toMatchObject({
      channel: 'partner',
      isFile: true,
      peer: expect.stringMatching(/^sftp:kiungo@127\.0\.0\.1\/a\.HL7 20/),
    });
    expect(inside('in/answers')).toHaveLength(2);
    expect(inside('in')).toEqual(expect.arrayContaining(['notes.doc', '.hidden.hl7']));
  });

  test('a file that still grows is not taken', async () => {
    const inbox = recordingInbox();
    put('slow.hl7', oru('1', 'x'));
    await watching(inbox);
    for (let piece = 1; piece <= 8; piece += 1) {
      put('slow.hl7', oru('1', 'x'.repeat(1 + piece)));
      await new Promise((wait) => setTimeout(wait, 10));
    }
    await until(() => inbox.arrivals.length > 0);
    expect(Buffer.from(inbox.arrivals[0]!.raw).toString()).toContain('x'.repeat(9));
  });

  test('with markers it waits for the marker, however long the file stays as it is', async () => {
    const inbox = recordingInbox();
    put('a.hl7');
    await watching(inbox, { complete: 'marker', afterwards: 'delete' });
    await new Promise((wait) => setTimeout(wait, 120));
    expect(inbox.arrivals).toEqual([]);
    put('a.hl7.done', '');
    await until(() => inside('in').length === 0);
    expect(controlIds(inbox)).toEqual(['a.hl7']);
  });

  test('where senders rename, what has its last name is taken at the first look', async () => {
    const inbox = recordingInbox();
    put('a.hl7.writing');
    await watching(inbox, { complete: 'renamed' });
    await new Promise((wait) => setTimeout(wait, 60));
    expect(inbox.arrivals).toEqual([]);
    renameSync(join(folder, 'in', 'a.hl7.writing'), join(folder, 'in', 'a.hl7'));
    await until(() => inbox.arrivals.length === 1);
  });

  test.each(['move', 'delete'] as const)(
    'a cut between keeping and %s: the file is the same arrival again, and goes then',
    async (afterwards) => {
      const inbox = recordingInbox();
      onRequest = (name) => {
        if (['RENAME', 'REMOVE', 'MKDIR'].includes(name)) throw new Error('cut');
      };
      put('a.hl7');
      await watching(inbox, { afterwards });
      await until(() => inbox.arrivals.length >= 2);
      expect(new Set(inbox.arrivals.map(({ peer }) => peer)).size).toBe(1);
      expect(inside('in')).toContain('a.hl7');
      onRequest = () => undefined;
      await until(() => !inside('in').includes('a.hl7'));
    },
  );

  test('what could not be kept stays, and the channel says why nothing comes', async () => {
    let isBroken = true;
    const inbox = recordingInbox(async () => {
      if (isBroken) throw new Error('disk full');
    });
    put('a.hl7');
    await watching(inbox);
    await until(() => inbox.arrivals.length > 1);
    expect(inside('in')).toEqual(['a.hl7']);
    expect(watch!.problem()).toBe('disk full');
    isBroken = false;
    await until(() => inside('in').includes('taken'));
    await until(() => watch!.problem() === undefined);
  });

  test('a server that is away is looked for again', async () => {
    const inbox = recordingInbox();
    put('a.hl7');
    await server.stop();
    await watching(inbox);
    await until(() => watch!.problem() !== undefined);
    expect(watch!.problem()).toContain('no connection');
    server = createSftpServer({ folder, port: place.port, user: 'kiungo', password: 'right' });
    const again = await server.start();
    await watch!.stop();
    await watching(inbox, { hostKeys: [again.hostKey] });
    await until(() => inbox.arrivals.length === 1);
  });

  test('one that is too large is put aside unread', async () => {
    const inbox = recordingInbox();
    put('a.hl7', 'x'.repeat(101));
    await watching(inbox, { maxBytes: 100 });
    await until(() => inside('in').includes('refused') && inside('in/refused').length === 1);
    expect(inbox.arrivals).toEqual([]);
  });
});
