// Create, read, update and delete in equal parts, over nine types that refer to each other, by many clients at once.
import { processorSeconds, type MeasuredEngine } from '../engine.ts';
import { runLoad } from '../load/figures.ts';
import { HttpConnection, requestBytes } from '../load/http-connection.ts';
import type { Figure } from '../report.ts';
import { sampleObservation, samplePatient } from '../samples.ts';

const clients = 300;
const seconds = 10;

type Made = Readonly<Record<string, string>>;

const coded = (system: string, code: string): object => ({ coding: [{ system, code }], text: code });
const to = (made: Made, type: string): object => ({ reference: `${type}/${made[type] ?? ''}` });
const money = { value: 129.16, currency: 'KES' };

/** In the order in which they can be created; deleted in the other. */
const resources: readonly (readonly [type: string, body: (made: Made, round: number) => object])[] = [
  ['Patient', (_made, round) => samplePatient(`mix-${round}`)],
  ['Location', (_made, round) => ({ name: `Ward ${round}`, status: 'active', address: { city: 'Kisumu', country: 'KE' } })],
  ['Organization', (_made, round) => ({ name: `Hospital ${round}`, active: true, identifier: [{ system: 'urn:mfl', value: `${round}` }] })],
  ['Practitioner', (_made, round) => ({ active: true, name: [{ family: `Otieno ${round}`, given: ['Grace'] }], identifier: [{ system: 'urn:kmpdc', value: `${round}` }] })],
  ['Encounter', (made) => ({ status: 'finished', class: { code: 'AMB' }, subject: to(made, 'Patient'), participant: [{ individual: to(made, 'Practitioner') }], period: { start: '2026-01-12T08:00:00+03:00', end: '2026-01-12T08:30:00+03:00' }, serviceProvider: to(made, 'Organization'), location: [{ location: to(made, 'Location') }] })],
  ['Observation', (made, round) => ({ ...sampleObservation(`mix-${round}`, `Patient/${made['Patient'] ?? ''}`, round), encounter: to(made, 'Encounter') })],
  ['MedicationRequest', (made) => ({ status: 'active', intent: 'order', medicationCodeableConcept: coded('http://www.nlm.nih.gov/research/umls/rxnorm', '313782'), subject: to(made, 'Patient'), encounter: to(made, 'Encounter'), requester: to(made, 'Practitioner'), authoredOn: '2026-01-12' })],
  ['Claim', (made) => ({ status: 'active', type: coded('http://terminology.hl7.org/CodeSystem/claim-type', 'institutional'), use: 'claim', patient: to(made, 'Patient'), created: '2026-01-12', provider: to(made, 'Organization'), priority: coded('http://terminology.hl7.org/CodeSystem/processpriority', 'normal'), insurance: [{ sequence: 1, focal: true, coverage: { display: 'SHA' } }], total: money })],
  ['ExplanationOfBenefit', (made) => ({ status: 'active', type: coded('http://terminology.hl7.org/CodeSystem/claim-type', 'institutional'), use: 'claim', patient: to(made, 'Patient'), created: '2026-01-12', insurer: { display: 'SHA' }, provider: to(made, 'Organization'), claim: to(made, 'Claim'), outcome: 'complete', insurance: [{ focal: true, coverage: { display: 'SHA' } }], payment: { amount: money } })],
]; // prettier-ignore

interface Asking {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly body?: object;
}

/** One client's endless walk: nine of each, as k6's `crud.js` of the Health Samurai benchmark does it. */
async function* walk(next: () => number): AsyncGenerator<Asking, never, string> {
  for (;;) {
    const round = next();
    const made: Record<string, string> = {};
    const bodies: [type: string, body: object][] = [];
    for (const [type, bodyOf] of resources) {
      const body = { resourceType: type, ...bodyOf(made, round), id: undefined };
      made[type] = yield { method: 'POST', path: type, status: 201, body };
      bodies.push([type, { ...body, id: made[type] }]);
    }
    for (const [type] of bodies) yield { method: 'GET', path: `${type}/${made[type] ?? ''}`, status: 200 };
    for (const [type, body] of bodies) {
      yield {
        method: 'PUT',
        path: `${type}/${made[type] ?? ''}`,
        status: 200,
        body: { ...body, language: 'en' },
      };
    }
    for (const [type] of bodies.toReversed()) {
      yield { method: 'DELETE', path: `${type}/${made[type] ?? ''}`, status: 204 };
    }
  }
}

export async function measureMix(start: () => Promise<MeasuredEngine>): Promise<Figure[]> {
  const engine = await start();
  const headers = {
    authorization: `Bearer ${await engine.token()}`,
    'content-type': 'application/fhir+json',
  };
  let rounds = 0;
  const visitors = Array.from({ length: clients }, () => ({
    connection: new HttpConnection(engine.port),
    steps: walk(() => rounds++),
    answer: '',
  }));
  const before = processorSeconds(engine.pid);
  const load = await runLoad(clients, seconds, async (client) => {
    const visitor = visitors[client];
    if (visitor === undefined) return false;
    const { value: asking } = await visitor.steps.next(visitor.answer);
    const text = asking.body && JSON.stringify(asking.body);
    const request = requestBytes(asking.method, `/fhir/R4/${asking.path}`, headers, text);
    const { status, body } = await visitor.connection.exchange(request);
    visitor.answer = asking.method === 'POST' ? idIn(body) : '';
    return status === asking.status;
  });
  const used = processorSeconds(engine.pid) - before;
  for (const { connection } of visitors) connection.close();
  await engine.stop();
  return [
    {
      name: `create, read, update, delete of 9 types, ${clients} clients`,
      value: load.perSecond,
      unit: '/s',
      target: 2000,
      better: 'more',
      remarks:
        `p50 ${load.p50Ms.toFixed(0)} ms, p99 ${load.p99Ms.toFixed(0)} ms (≤ 250), ${load.errors} errors, engine ${((used / load.requests) * 1e6).toFixed(0)} µs of processor a request, ` +
        `generator ${(load.generatorCpu * 100).toFixed(0)} % of a core`,
    },
  ];
}

const idIn = (body: Buffer): string => /"id":"([^"]+)"/.exec(body.toString('latin1', 0, 500))?.[1] ?? '';
