// The real listener before careless and many senders, and the engine before programs that others wrote: python-hl7 sends, HL7apy builds,
// validates and receives.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { basename, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startEngine, until, type RunningEngine } from '../support/engine-process.ts';
import { codeOf, MllpClient } from '../support/mllp-client.ts';
import { askPeer, missing, mllpSend, startPeer, type PeerServer } from '../support/python-peers.ts';

const oru = (control: string): string =>
  [
    `MSH|^~\\&|BC-5380|Mindray|||20260112083000||ORU^R01|${control}|P|2.3.1||||||UNICODE`,
    `PID|1||MRN-${control}^^^^MR||Test^Patient||19870412000000|Female`,
    `OBR|1||${control}|00001^Automated Count^99MRC|||20260112083000|||||||||||||||||HM||||||||Technician`,
    'OBX|1|NM|718-7^HGB^LN||12.1|g/dL|11.0-16.0|N|||F',
    '',
  ].join('\r');

let engine: RunningEngine;
beforeAll(async () => {
  engine = await startEngine();
}, 90_000);
afterAll(() => engine.stop());

const pause = (ms: number): Promise<void> => new Promise((end) => setTimeout(end, ms));

/** Writes the pieces one by one, each in a packet of its own, and resolves with the codes of so many answers. */
function answersTo(pieces: readonly Buffer[], count: number): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: engine.mllpPort, host: '127.0.0.1', noDelay: true });
    let received = '';
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
      const answers = received.split('\x1c\r').slice(0, -1);
      if (answers.length < count) return;
      socket.destroy();
      resolve(answers.map(codeOf));
    });
    socket.on('connect', () => {
      void (async () => {
        for (const piece of pieces) {
          socket.write(piece);
          await pause(1);
        }
      })();
    });
  });
}

describe('framing', () => {
  const frames = Buffer.from(`\x0b${oru('F1')}\x1c\r\x0b${oru('F2')}\x1c\r`);

  test('two messages cut at every byte are two messages', async () => {
    const places = Array.from({ length: frames.length - 1 }, (_, at) => at + 1);
    const wrong: number[] = [];
    for (let from = 0; from < places.length; from += 20) {
      const some = places.slice(from, from + 20);
      const codes = await Promise.all(
        some.map((at) => answersTo([frames.subarray(0, at), frames.subarray(at)], 2)),
      );
      wrong.push(...some.filter((_, index) => codes[index]?.join() !== 'AA,AA'));
    }
    expect(wrong).toEqual([]);
  }, 60_000);

  test('byte by byte they are two messages', async () => {
    const bytes = Array.from(frames, (byte) => Buffer.of(byte));
    expect(await answersTo(bytes, 2)).toEqual(['AA', 'AA']);
  });

  test('all of that was kept as two messages', async () => {
    const found = await engine.fetch('/admin/messages?channel=hl7&_count=0');
    expect(((await found.json()) as { total: number }).total).toBe(2);
  });
});

describe('five hundred senders, all connected', () => {
  test('each gets its answer, and memory stays below 300 MB', async () => {
    // From ten addresses: of one the engine takes a hundred connections.
    const clients = Array.from(
      { length: 500 },
      (_, at) => new MllpClient(engine.mllpPort, `127.0.0.${1 + (at % 10)}`),
    );
    const codes = await Promise.all(
      clients.map(async (client, at) => codeOf(await client.send(oru(`N${at}`)))),
    );
    expect(new Set(codes)).toEqual(new Set(['AA']));
    const memory = residentMegabytes(engine.process.pid ?? 0);
    for (const client of clients) client.close();
    if (memory !== undefined) expect(memory).toBeLessThan(300);
    await until(async () => {
      const waiting = await engine.fetch('/admin/messages?state=received&_count=0');
      return ((await waiting.json()) as { total: number }).total === 0;
    }, 60_000);
  }, 120_000);
});

/** undefined where the system does not tell. */
function residentMegabytes(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

const withPeers = missing === undefined ? describe : describe.skip;
const toldWhy = missing === undefined ? '' : ` (skipped: ${missing})`;

interface Answered {
  readonly control: string;
  readonly code: string;
  readonly faults: readonly string[];
}

interface Taken extends Answered {
  readonly type: string;
  readonly text: string;
}

withPeers(`what others send${toldWhy}`, () => {
  test("python-hl7's mllp_send sends a file of messages, and shows what it was answered", () => {
    const file = join(engine.data, 'python.hl7');
    writeFileSync(file, oru('PY1'));
    expect(mllpSend(engine.mllpPort, file)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/MSA\|AA\|PY1/),
    });
  });

  // HL7 2.9.2: without MSH-15 and MSH-16 one answer; with `AL` in both the commit answer and then the application's.
  const rows: readonly (readonly [word: string, codes: readonly string[], type: string])[] = [
    ['ORU:A1:1', ['AA'], 'ORU^R01'],
    ['ADT:A2:1', ['AA'], 'ADT^A01'],
    ['ORU+:A3:2', ['CA', 'AA'], 'ORU^R01'],
    ['ADT+:A4:2', ['CA', 'AA'], 'ADT^A01'],
  ];

  test('messages that HL7apy builds are answered, validly, kept and stored as FHIR', async () => {
    const words = rows.map(([word]) => word);
    const answers = await askPeer<Answered>('sender.py', [String(engine.mllpPort), ...words]);
    const expected = rows.flatMap(([word, codes]) => {
      const control = word.split(':')[1] ?? '';
      return codes.map((code) => ({ control, code, faults: [] }));
    });
    expect(answers).toEqual(expected);
    for (const [word, , messageType] of rows) {
      const control = word.split(':')[1] ?? '';
      const kept = await (await engine.fetch(`/admin/messages?controlId=${control}`)).json();
      await until(
        async () => (await patients(control)) === 1,
        20_000,
        () => control,
      );
      expect(kept).toMatchObject({ total: 1, items: [{ messageType, channel: 'hl7' }] });
    }
  }, 60_000);

  async function patients(number: string): Promise<number> {
    const found = await engine.fetch(`/fhir/R4/Patient?identifier=${number}&_summary=count`);
    return ((await found.json()) as { readonly total: number }).total;
  }
});

withPeers(`what others receive${toldWhy}`, () => {
  let peer: PeerServer<Taken>;
  beforeAll(async () => {
    // Its first answer refuses for now, its second for good.
    peer = await startPeer<Taken>('receiver.py', ['AE', 'AA', 'AR']);
    const to = { kind: 'mllp', host: '127.0.0.1', port: peer.port };
    await admin('POST', '/admin/channels', { name: 'order-answers', source: { kind: 'http' } });
    await admin('POST', '/admin/channels', {
      name: 'out',
      source: { kind: 'http' },
      map: 'none',
      destinations: [
        { name: 'peer', to, response: 'order-answers', retry: { delaysSeconds: [0.1], tries: 5 } },
      ],
    });
    const entry = resources.map((resource) => ({
      resource,
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
    }));
    await admin('POST', '/fhir/R4', { resourceType: 'Bundle', type: 'transaction', entry });
  }, 60_000);
  afterAll(() => peer.stop());

  async function admin(method: string, path: string, body: unknown): Promise<Response> {
    const headers = {
      'content-type': path.startsWith('/fhir') ? 'application/fhir+json' : 'application/json',
    };
    const response = await engine.fetch(path, { method, headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  /** Makes the message of a stored resource, gives it to the channel, and resolves with its control id. */
  async function sendOf(map: string, resource: string): Promise<string> {
    const made = await admin('POST', `/admin/mappings/$render?map=${map}`, { resource });
    const { text, controlId } = (await made.json()) as { readonly text: string; readonly controlId: string };
    const headers = { 'content-type': 'application/hl7-v2' };
    const taken = await engine.fetch('/admin/messages?channel=out', { method: 'POST', headers, body: text });
    expect(taken.status).toBe(202);
    return controlId;
  }

  interface Sent {
    readonly state: string;
    readonly attempts: number;
    readonly reason?: { readonly code: string };
  }

  async function deliveryOf(controlId: string): Promise<Sent | undefined> {
    const found = await engine.fetch(`/admin/messages?channel=out&controlId=${controlId}`);
    const [message] = ((await found.json()) as { readonly items: readonly { readonly id: string }[] }).items;
    if (message === undefined) return undefined;
    const opened = await engine.fetch(`/admin/messages/${message.id}`);
    return ((await opened.json()) as { readonly deliveries: readonly Sent[] }).deliveries[0];
  }

  const ended = async (controlId: string): Promise<Sent | undefined> => {
    const isOver = async (): Promise<boolean> =>
      ['done', 'dead'].includes((await deliveryOf(controlId))?.state ?? '');
    await until(isOver, 20_000, () => JSON.stringify(peer.lines));
    return deliveryOf(controlId);
  };

  const patient = { reference: 'Patient/peer-p' };
  const coded = (code: string, display: string) => ({
    coding: [{ system: 'http://loinc.org', code, display }],
  });
  const numbered = (system: string, value: string) => [{ system: `urn:kiungo:${system}`, value }];
  const final = { status: 'final', subject: patient, effectiveDateTime: '2026-03-20T08:50:00+03:00' };
  const resources = [
    {
      resourceType: 'Patient',
      id: 'peer-p',
      identifier: numbered('patient-number', 'PEER-1'),
      name: [{ family: 'Otieno', given: ['Amina'] }],
      birthDate: '1988-04-12',
      gender: 'female',
    },
    {
      resourceType: 'Practitioner',
      id: 'peer-d',
      identifier: numbered('staff-number', 'D-77'),
      name: [{ family: 'Wambui' }],
    },
    {
      resourceType: 'Specimen',
      id: 'peer-s',
      subject: patient,
      accessionIdentifier: { system: 'urn:kiungo:barcode', value: '2611-77' },
      type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0487', code: 'BLD' }] },
    },
    {
      resourceType: 'ServiceRequest',
      id: 'peer-o',
      identifier: numbered('order-number', 'ORD-77'),
      status: 'active',
      intent: 'order',
      code: coded('58410-2', 'CBC panel'),
      subject: patient,
      requester: { reference: 'Practitioner/peer-d' },
      authoredOn: '2026-03-20T08:35:00+03:00',
      specimen: [{ reference: 'Specimen/peer-s' }],
    },
    {
      resourceType: 'Encounter',
      id: 'peer-e',
      identifier: numbered('visit-number', 'V-77'),
      status: 'in-progress',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
      subject: patient,
      period: { start: '2026-03-20T08:00:00+03:00' },
    },
    {
      resourceType: 'Observation',
      id: 'peer-v',
      ...final,
      code: { ...coded('718-7', 'Hemoglobin'), text: 'HGB' },
      valueQuantity: { value: 12.1, unit: 'g/dL', system: 'http://unitsofmeasure.org', code: 'g/dL' },
    },
    {
      resourceType: 'DiagnosticReport',
      id: 'peer-r',
      ...final,
      code: coded('58410-2', 'CBC panel'),
      issued: '2026-03-20T09:00:00+03:00',
      result: [{ reference: 'Observation/peer-v' }],
    },
  ];

  test('a report refused by AE comes again, and is a valid ORU^R01', async () => {
    const controlId = await sendOf('ORU-R01', 'DiagnosticReport/peer-r');
    expect(await ended(controlId)).toMatchObject({ state: 'done', attempts: 2 });
    expect(peer.lines.map(({ type, control, code, faults }) => [type, control, code, faults])).toEqual([
      ['ORU^R01', controlId, 'AE', []],
      ['ORU^R01', controlId, 'AA', []],
    ]);
  });

  test('a visit refused by AR is given up at once, and is a valid ADT^A01', async () => {
    const controlId = await sendOf('ADT-Encounter', 'Encounter/peer-e');
    expect(await ended(controlId)).toMatchObject({ state: 'dead', attempts: 1 });
    expect(peer.lines.at(-1)).toMatchObject({ type: 'ADT^A01', code: 'AR', faults: [] });
  });

  test('an order is a valid OML^O21, and the ORL^O22 that answers it makes its Task accepted', async () => {
    await admin('PUT', '/fhir/R4/Task/peer-t', {
      resourceType: 'Task',
      id: 'peer-t',
      status: 'requested',
      intent: 'order',
      focus: { reference: 'ServiceRequest/peer-o' },
    });
    const controlId = await sendOf('OML-O21', 'ServiceRequest/peer-o');
    expect(await ended(controlId)).toMatchObject({ state: 'done', attempts: 1 });
    expect(peer.lines.at(-1)).toMatchObject({ type: 'OML^O21', code: 'AA', faults: [] });
    const statuses = async (): Promise<readonly string[]> => {
      const found = await engine.fetch('/fhir/R4/Task?focus=ServiceRequest/peer-o');
      const { entry = [] } = (await found.json()) as {
        readonly entry?: readonly { readonly resource: { readonly status: string } }[];
      };
      return entry.map(({ resource }) => resource.status);
    };
    await until(async () => (await statuses()).includes('accepted'), 20_000, engine.output);
  });
});

withPeers(`HL7apy on the messages that the maps make${toldWhy}`, () => {
  // What it says of these is known. It takes the choice of HL7 2.5.1, 4.4.1 (OBR, RQD, RQ1, RXO, ODS or ODT) for all of them.
  // Of the two contacts of SCH see docs/hl7v2-deviations.md.
  const known: readonly (readonly [file: RegExp, fault: RegExp])[] = [
    [/^orm-o01/, /^Missing required child ORM_O01_OBRRQDRQ1RXOODSODT_SUPPGRP\.(RQD|RQ1|RXO|ODS|ODT)$/],
    [/^siu-/, /^Missing required child SCH\.SCH_(16|20)$/],
  ];

  test('finds nothing else wrong', async () => {
    const folder = resolve('test/golden/hl7v2-out');
    const files = readdirSync(folder).filter((file) => file.endsWith('.hl7'));
    const answers = await askPeer<{ readonly file: string; readonly faults: readonly string[] }>(
      'validate.py',
      files.map((file) => join(folder, file)),
    );
    expect(answers.length).toBe(files.length);
    const unknown = answers.flatMap(({ file, faults }) =>
      faults
        .filter((fault) => !known.some(([of, said]) => of.test(basename(file)) && said.test(fault)))
        .map((fault) => `${basename(file)}: ${fault}`),
    );
    expect(unknown).toEqual([]);
  }, 60_000);
});
