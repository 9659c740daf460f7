// Many large transactions at once do not end the real engine, even with little memory: those for which there is no room hear so, and are
// stored when they come again; meanwhile others go on.
import { rmSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { startEngine } from '../support/engine-process.ts';

const senders = 30;
const entries = 16_000;
/** Of the engine's heap, MiB: six such transactions at once are more. */
const heap = 768;

const observation = {
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '718-7', display: 'Hemoglobin' }] },
  note: [{ text: 'a note that makes it long '.repeat(40) }],
};
const entry = { request: { method: 'POST', url: 'Observation' }, resource: observation };
/** 20 MB. */
const transaction = JSON.stringify({
  resourceType: 'Bundle',
  type: 'transaction',
  entry: Array.from({ length: entries }, () => entry),
});

test(`${senders} transactions of 20 MB at once`, async () => {
  const engine = await startEngine(undefined, { NODE_OPTIONS: `--max-old-space-size=${heap}` });
  const headers = { 'content-type': 'application/fhir+json', prefer: 'return=minimal' };
  const send = async (): Promise<Response> => {
    const answer = await engine.fetch('/fhir/R4', { method: 'POST', headers, body: transaction });
    await answer.arrayBuffer();
    return answer;
  };
  try {
    const sent = Array.from({ length: senders }, send);
    const small = await engine.fetch('/fhir/R4/Patient', {
      method: 'POST',
      headers,
      body: '{"resourceType":"Patient"}',
    });
    expect(small.status).toBe(201);
    const answers = await Promise.all(sent);
    const refused = answers.filter(({ status }) => status === 503);
    const stored = answers.filter(({ status }) => status === 200);
    expect([refused.length + stored.length, refused.length > 0, stored.length > 3]).toEqual([
      senders,
      true,
      true,
    ]);
    expect(new Set(refused.map((answer) => answer.headers.get('retry-after')))).toEqual(new Set(['2']));
    expect((await send()).status).toBe(200);
    const found = await engine.fetch('/fhir/R4/Observation?_summary=count');
    expect(await found.json()).toMatchObject({ total: (stored.length + 1) * entries });
  } finally {
    await engine.stop();
    rmSync(engine.data, { recursive: true });
  }
}, 180_000);
