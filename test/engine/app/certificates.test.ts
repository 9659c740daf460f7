// Certificates that are renewed while connections are open, on a real TLS port: the open ones stay, new ones get the new one, and a broken
// file changes nothing but what somebody is told.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { frame } from '../../../adapters/hl7/framing.ts';
import { createMllpListener, type MllpListener } from '../../../adapters/hl7/listener.ts';
import { createCertificates, type Certificates } from '../../../engine/app/certificates.ts';
import { readTls } from '../../../engine/app/channel-material.ts';
import type { Config } from '../../../engine/app/read-config.ts';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import {
  authority,
  clientCertificate,
  clientKey,
  serverCertificate,
  serverKey,
} from '../../adapters/hl7/support/certificates.ts';
import { field, oru, wrapped, type RawClient } from '../../adapters/hl7/support/raw-client.ts';
import { countingIds, fixedClock, recordingInbox } from '../../adapters/hl7/support/recording-inbox.ts';
import { until } from '../messages/house.ts';

let data: string;
let now: number;
let certificates: Certificates;
let listener: MllpListener;
let port: number;
let told: string[];
const clients: RawClient[] = [];

const write = (key: string, certificate: string): void => {
  writeFileSync(join(data, 'key.pem'), key);
  writeFileSync(join(data, 'certificate.pem'), certificate);
};

beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'kiungo-tls-'));
  now = Date.UTC(2026, 10, 21);
  told = [];
  write(serverKey, serverCertificate);
  const logger = { ...silentLogger, error: (_facts: unknown, text: string) => void told.push(text) };
  certificates = createCertificates({ clock: { now: () => now }, logger, everyMs: 20 });
  const files = { key: 'key.pem', certificate: 'certificate.pem' };
  const held = certificates.hold('lab', () => readTls(files, { data } as Config));
  const parts = { inbox: recordingInbox(), channel: 'lab', clock: fixedClock, ids: countingIds() };
  listener = createMllpListener({
    ...{ ...parts, logger: silentLogger, host: '127.0.0.1', port: 0 },
    tls: held.current(),
  });
  held.onRenewed((material) => listener.renewTls(material));
  port = (await listener.start()).port;
  certificates.start();
});
afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  certificates.stop();
  await listener.stop();
  rmSync(data, { recursive: true });
});

async function connected(): Promise<{ readonly client: RawClient; readonly name: string }> {
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, ca: authority });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const client = wrapped(socket);
  clients.push(client);
  return { client, name: String(socket.getPeerCertificate().subject.CN) };
}
async function speaks(client: RawClient, controlId: string): Promise<void> {
  client.write(frame(oru(controlId)));
  const [answer = ''] = await client.answers(1);
  expect(field(answer, 'MSA', 2)).toBe(controlId);
}

test('what is renewed is for new connections; those that are open go on', async () => {
  const before = await connected();
  expect(before.name).toBe('server');
  write(clientKey, clientCertificate);
  await until(async () => (await connected()).name === 'client');
  await speaks(before.client, 'm1');
  await speaks((await connected()).client, 'm2');
  expect(certificates.concerns()).toEqual([]);
});

test.each([
  ['half written', serverCertificate.slice(0, 300), serverKey],
  ['of another key', clientCertificate, serverKey],
])(
  'a certificate that is %s changes nothing, is told once, and is over when it is mended',
  async (_, certificate, key) => {
    write(key, certificate);
    await until(() => certificates.concerns().length === 1);
    expect(certificates.concerns()).toMatchObject([{ code: 'certificate-unusable', subject: 'lab' }]);
    await new Promise((rest) => setTimeout(rest, 80));
    expect(told).toEqual([expect.stringContaining('the one before stays')]);
    const { name, client } = await connected();
    expect(name).toBe('server');
    await speaks(client, 'm1');
    write(clientKey, clientCertificate);
    await until(() => certificates.concerns().length === 0);
    expect((await connected()).name).toBe('client');
  },
);

test('the files as they were before count as mended', async () => {
  write(serverKey, '');
  await until(() => certificates.concerns().length === 1);
  write(serverKey, serverCertificate);
  await until(() => certificates.concerns().length === 0);
});

test('one that ends soon is told', () => {
  now = Date.UTC(2126, 9, 20);
  expect(certificates.concerns()).toMatchObject([{ code: 'certificate-ends', subject: 'lab' }]);
});
