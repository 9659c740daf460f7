// One message followed through other systems: the trace that comes with it goes through arrival, processing and sending, and on to the receiver.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startEngine, until, type RunningEngine } from '../support/engine-process.ts';

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly { readonly key: string }[];
}

interface OtlpBody {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

const spans: OtlpSpan[] = [];
let told = '';
const received: IncomingMessage['headers'][] = [];
/** `/v1/traces` is the collector, anything else the receiver of messages. */
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (piece: Buffer) => (body += piece.toString()));
  request.on('end', () => {
    if (request.url === '/v1/traces') {
      told += body;
      const { resourceSpans } = JSON.parse(body) as OtlpBody;
      spans.push(
        ...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => [...scope.spans])),
      );
    } else received.push(request.headers);
    response.end('{}');
  });
});
let engine: RunningEngine;
let url = '';

beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  engine = await startEngine(undefined, { KIUNGO_OTEL_ENDPOINT: url });
}, 90_000);
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await engine.stop();
});

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const message = [
  'MSH|^~\\&|BC-5380|Mindray|||20260112083000||ORU^R01|T1|P|2.3.1||||||UNICODE',
  'PID|1||MRN-77^^^^MR||Otieno^Achieng||19870412000000|Female',
  'OBR|1||T1|00001^Automated Count^99MRC|||20260112083000|||||||||||||||||HM||||||||Technician',
  'OBX|1|NM|6690-2^WBC^LN||5.10|10*3/uL|4.00-10.00|N|||F',
  '',
].join('\r');

test('the spans of one message are one trace, which its receiver can join, and say nothing of the patient', async () => {
  const channel = {
    name: 'traced',
    source: { kind: 'http' },
    destinations: [{ name: 'lis', to: { kind: 'http', url: `${url}/results` } }],
  };
  const made = await engine.fetch('/admin/channels', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(channel),
  });
  expect(made.status).toBe(201);
  await engine.fetch('/admin/messages?channel=traced', {
    method: 'POST',
    headers: {
      'content-type': 'application/hl7-v2',
      traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
    },
    body: message,
  });
  const ofTrace = (): readonly OtlpSpan[] => spans.filter((span) => span.traceId === traceId);
  await until(() => ofTrace().length >= 4, 15_000);
  const byName = new Map(ofTrace().map((span) => [span.name, span]));
  const names = ['POST /admin/messages', 'receive traced', 'process traced', 'send traced.lis'];
  expect([...byName.keys()].sort()).toEqual(names.toSorted());
  const parents = names.map((name) => byName.get(name)?.parentSpanId);
  const ids = names.map((name) => byName.get(name)?.spanId);
  expect(parents).toEqual(['00f067aa0ba902b7', ids[0], ids[1], ids[2]]);
  expect(received[0]?.['traceparent']).toBe(`00-${traceId}-${ids[3]}-01`);
  expect(told).toContain('"kiungo"');
  expect(told).not.toMatch(/Otieno|Achieng|MRN-77|5\.10/);
});

test('what is no traceparent begins a trace of its own', async () => {
  const before = spans.length;
  await engine.fetch('/fhir/R4/Patient/nobody', { headers: { traceparent: '00-0-0-xx' } });
  await until(() => spans.slice(before).some(({ name }) => name === 'read'), 15_000);
  const span = spans.find(({ name }) => name === 'read')!;
  expect([span.traceId.length, span.parentSpanId ?? '']).toEqual([32, '']);
});
