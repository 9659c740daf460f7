// Rules of the MLLP port under TLS: a peer without a certificate that is vouched for says nothing to the inbox.
import { expect, test } from '@jest/globals';
import { connect, type ConnectionOptions } from 'node:tls';
import { frame } from '../../../adapters/hl7/framing.ts';
import { createMllpListener } from '../../../adapters/hl7/listener.ts';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import {
  authority,
  clientCertificate,
  clientKey,
  serverCertificate,
  serverKey,
} from './support/certificates.ts';
import { field, oru, wrapped } from './support/raw-client.ts';
import { countingIds, fixedClock, recordingInbox } from './support/recording-inbox.ts';

const own: ConnectionOptions = { cert: clientCertificate, key: clientKey };

test.each<[string, ConnectionOptions, readonly string[] | undefined, readonly string[]]>([
  ['with its certificate', own, undefined, ['m1']],
  ['without', {}, undefined, []],
  ['whose certificate bears the name of the channel', own, ['other', 'client'], ['m1']],
  ['whose certificate bears another name', own, ['other'], []],
])('a peer %s', async (_, options, names, expected) => {
  const inbox = recordingInbox();
  const listener = createMllpListener({
    inbox,
    host: '127.0.0.1',
    port: 0,
    channel: 'lab',
    clock: fixedClock,
    ids: countingIds(),
    logger: silentLogger,
    ...(names === undefined ? {} : { names }),
    tls: {
      cert: serverCertificate,
      key: serverKey,
      ca: authority,
      requestCert: true,
      rejectUnauthorized: true,
    },
  });
  const { port } = await listener.start();
  const client = wrapped(connect({ host: '127.0.0.1', port, ca: authority, ...options }));
  client.write(frame(oru('m1')));
  const answers = await client.answers(1);
  expect(answers.map((answer) => field(answer, 'MSA', 2))).toEqual(expected);
  expect(inbox.arrivals).toHaveLength(expected.length);
  client.socket.destroy();
  await listener.stop();
});

test('a peer that leaves within its handshake holds up nothing', async () => {
  const tls = { cert: serverCertificate, key: serverKey };
  const listener = createMllpListener({
    ...{ inbox: recordingInbox(), host: '127.0.0.1', port: 0, channel: 'lab', tls },
    ...{ clock: fixedClock, ids: countingIds(), logger: silentLogger },
  });
  const { port } = await listener.start();
  for (let times = 0; times < 3; times += 1) {
    const socket = connect({ host: '127.0.0.1', port, ca: authority });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    socket.destroy();
  }
  const begin = performance.now();
  await listener.stop();
  expect(performance.now() - begin).toBeLessThan(2_000);
});
