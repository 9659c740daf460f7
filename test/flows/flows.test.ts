// The model of docs/flows.md, case by case, in a real flows process: what ends an event, and how.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { event, flow, fn, write, type Step } from './flow-builder.ts';
import { startFlows, until, type FlowsUnderTest } from './flows-under-test.ts';

interface Case {
  readonly rule: string;
  readonly steps: readonly Step[];
  readonly first?: Step;
  readonly then: 'done' | 'dead';
  /** Ids of what is written, in order. */
  readonly writes: readonly string[];
  /** What the failure says. */
  readonly says?: RegExp;
}

const make = (id: string): string => `msg.payload = { resourceType: 'Basic', id: '${id}' }; return msg;`;

const cases: Readonly<Record<string, Case>> = {
  plain: {
    rule: 'what is handed to fhir write is written when the flow is done',
    steps: [fn(make('plain')), write],
    then: 'done',
    writes: ['plain'],
  },
  fresh: {
    rule: 'a message that a function makes anew still belongs to the event',
    steps: [fn(`return { payload: { resourceType: 'Basic', id: 'fresh' } };`), write],
    then: 'done',
    writes: ['fresh'],
  },
  later: {
    rule: 'a function that says done later is waited for',
    steps: [
      fn(
        `setTimeout(() => { node.send({ payload: { resourceType: 'Basic', id: 'later' } }); node.done(); }, 150);`,
      ),
      write,
    ],
    then: 'done',
    writes: ['later'],
  },
  delayed: {
    rule: 'a delay node is waited for',
    steps: [
      {
        type: 'delay',
        pauseType: 'delay',
        timeout: '200',
        timeoutUnits: 'milliseconds',
        rate: '1',
        outputs: 1,
      },
      fn(make('delayed')),
      write,
    ],
    then: 'done',
    writes: ['delayed'],
  },
  dropped: {
    rule: 'a message that nobody takes ends there: the event is done',
    steps: [
      {
        type: 'switch',
        property: 'payload.id',
        propertyType: 'msg',
        rules: [{ t: 'eq', v: 'x', vt: 'str' }],
        outputs: 1,
      },
      write,
    ],
    then: 'done',
    writes: [],
  },
  parts: {
    rule: 'split and join: the event is done when the joined message is',
    steps: [
      fn(`msg.payload = [1, 2, 3]; return msg;`),
      { type: 'split', splt: '\\n', spltType: 'str', arraySplt: 1, arraySpltType: 'len' },
      { type: 'join', mode: 'auto' },
      fn(`msg.payload = { resourceType: 'Basic', id: 'parts' + msg.payload.length }; return msg;`),
      write,
    ],
    then: 'done',
    writes: ['parts3'],
  },
  linked: {
    rule: 'messages are followed through link nodes',
    steps: [
      { type: 'link call', linkType: 'static', links: ['linked5'], timeout: '5' },
      write,
      { type: 'comment', wires: [] },
      { type: 'comment', wires: [] },
      { type: 'link in', links: [], wires: [['linked6']], id: 'linked5' },
      fn(make('linked'), { id: 'linked6', wires: [['linked7']] }),
      { type: 'link out', mode: 'return', links: [], id: 'linked7', wires: [] },
    ],
    then: 'done',
    writes: ['linked'],
  },
  completed: {
    rule: 'what a Complete node starts belongs to the event',
    steps: [
      fn('return null;', { wires: [[]] }),
      { type: 'complete', scope: ['completed2'] },
      fn(make('completed')),
      write,
    ],
    then: 'done',
    writes: ['completed'],
  },
  caught: {
    rule: 'an error that a Catch node takes is dealt with by the flow',
    steps: [
      fn(`throw new Error('no');`, { wires: [[]] }),
      { type: 'catch', scope: ['caught2'] },
      fn(make('caught')),
      write,
    ],
    then: 'done',
    writes: ['caught'],
  },
  thrown: {
    rule: 'an error that no Catch node takes fails the event, and nothing is done; a text of the flow stays inside',
    steps: [fn(make('thrown')), write, fn(`throw new Error('Wanjiru is ill');`, { name: 'third step' })],
    then: 'dead',
    writes: [],
    says: /^the function node "third step" failed: its message is shown in the debug sidebar/,
  },
  mistaken: {
    rule: 'a mistake in a function is named',
    steps: [fn(`return msg.payload.subject.reference;`)],
    then: 'dead',
    writes: [],
    says: /TypeError: Cannot read properties of undefined/,
  },
  reported: {
    rule: 'node.error with the message, which no Catch node takes, fails the event',
    steps: [fn(`node.error('bad', msg); return msg;`)],
    then: 'dead',
    writes: [],
    says: /failed/,
  },
  hanging: {
    rule: 'a flow that never says done fails when its time is up, and what it handed in is thrown away',
    steps: [fn(make('hanging')), write, fn(`if (msg.never) node.done(); return null;`)],
    then: 'dead',
    writes: [],
    says: /did not finish in time/,
  },
  unknown: {
    rule: 'reading what is not there fails the event',
    steps: [{ type: 'fhir read', query: 'Patient/nobody', property: 'patient' }],
    then: 'dead',
    writes: [],
    says: /Patient\/nobody is not known here/,
  },
  optional: {
    rule: 'reading what is not there is nothing, where the node says so',
    steps: [
      { type: 'fhir read', query: '{{payload.subject}}', property: 'patient', single: true, optional: true },
      fn(`msg.payload = { resourceType: 'Basic', id: 'optional-' + String(msg.patient) }; return msg;`),
      write,
    ],
    then: 'done',
    writes: ['optional-undefined'],
  },
  exact: {
    rule: 'a decimal that a flow leaves alone is written as it was read',
    steps: [fn(`msg.payload.sum = msg.payload.value + 1; return msg;`), write],
    then: 'done',
    writes: ['given'],
  },
};

const exactly = JSON as unknown as { rawJSON(text: string): object };
const given = { resourceType: 'Basic', id: 'given', value: exactly.rawJSON('2.780') };

let flows: FlowsUnderTest;
beforeAll(async () => {
  flows = await startFlows();
  await until(() => flows.supervisor.ready(), 25_000);
});
afterAll(async () => {
  await flows.stop();
});

describe('the first start', () => {
  test('brings the shipped flows to life', async () => {
    const { port } = flows;
    await until(() => port.subscriptions.length === 1);
    port.resources.set('Patient/p1', { resourceType: 'Patient', id: 'p1', identifier: [{ value: 'MRN-7' }] });
    for (const [id, flag, value] of [
      ['o1', 'LL', '5.70'],
      ['o2', 'N', '4.1'],
    ] as const) {
      port.resources.set(`Observation/${id}`, {
        resourceType: 'Observation',
        id,
        code: { text: `test ${id}` },
        interpretation: [{ coding: [{ code: flag }] }],
        valueQuantity: { value: exactly.rawJSON(value), unit: 'g/dL' },
      });
    }

    const id = port.announce('critical-report', {
      resourceType: 'DiagnosticReport',
      id: 'r1',
      status: 'preliminary',
      subject: { reference: 'Patient/p1' },
      result: [{ reference: 'Observation/o1' }, { reference: 'Observation/o2' }],
    });
    await until(() => port.event(id).state === 'done');

    const text =
      'CRITICAL RESULT for patient MRN-7\ntest o1: 5.70 g/dL (LL)\nReport DiagnosticReport/r1, status preliminary';
    expect(port.commits).toHaveLength(1);
    expect(port.commits[0]).toMatchObject([
      {
        kind: 'write',
        resource: {
          resourceType: 'Communication',
          status: 'preparation',
          priority: 'stat',
          subject: { reference: 'Patient/p1' },
          about: [{ reference: 'DiagnosticReport/r1' }],
          payload: [{ contentString: text }],
        },
      },
      { kind: 'send', destination: 'ward', contentType: 'text/plain', body: text },
    ]);
    expect(port.written()[0]?.id).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  test('keeps the flows for the owner alone', () => {
    expect(statSync(join(flows.userDir, 'flows.json')).mode & 0o077).toBe(0);
  });

  test('takes less than 150 MB of memory', async () => {
    await until(() => flows.supervisor.health().memoryMb !== undefined);
    expect(flows.supervisor.health().memoryMb).toBeLessThan(150);
  });
});

describe('an event', () => {
  const ids: Record<string, string> = {};
  beforeAll(async () => {
    const { port } = flows;
    port.leaseMs = 2_000;
    port.maxAttempts = 1;
    await flows.deploy(Object.entries(cases).flatMap(([name, { steps }]) => flow(name, [event, ...steps])));
    await until(() => port.subscriptions.length === Object.keys(cases).length);
    for (const name of Object.keys(cases)) ids[name] = port.announce(name, given);
    await until(() => Object.values(ids).every((id) => ['done', 'dead'].includes(port.event(id).state)));
  });

  test.each(Object.entries(cases).map(([name, one]) => ({ name, ...one })))(
    '$name: $rule',
    ({ name, then, writes, says }) => {
      const { state, attempts, failures } = flows.port.event(ids[name]!);
      const written = flows.port.written().map(({ id }) => id);
      expect({ state, attempts }).toEqual({ state: then, attempts: 1 });
      for (const id of writes) expect(written.filter((one) => one === id)).toEqual([id]);
      if (writes.length === 0) expect(written).not.toContain(name);
      if (says !== undefined) expect(failures[0]).toMatch(says);
    },
  );

  test('keeps its decimals', () => {
    const exact = flows.port.written().find(({ id }) => id === 'given');
    expect(JSON.stringify(exact)).toBe('{"resourceType":"Basic","id":"given","value":2.780,"sum":3.78}');
  });

  test('leaves no word of a patient in the log', () => {
    expect(flows.lines.join('\n')).not.toContain('Wanjiru');
  });
});

describe('an event that is tried again', () => {
  test('writes the same resource', async () => {
    const { port } = flows;
    Object.assign(port, { leaseMs: 5_000, maxAttempts: 3 });
    await flows.deploy(
      flow('again', [
        event,
        fn(`msg.payload = { resourceType: 'Communication' }; return msg;`),
        write,
        fn(`const before = flow.get('before');
          flow.set('before', msg.reference);
          if (msg.event.attempts < 2) throw new Error('not yet');
          msg.payload = { resourceType: 'Basic', id: before === msg.reference ? 'same' : 'another' };
          return msg;`),
        write,
      ]),
    );
    await until(() => port.subscriptions[0]?.name === 'again');

    const id = port.announce('again', given);
    await until(() => port.event(id).state === 'done');

    expect(port.event(id).attempts).toBe(2);
    expect(
      port.commits.at(-1)?.map((effect) => effect.kind === 'write' && effect.resource.resourceType),
    ).toEqual(['Communication', 'Basic']);
    expect(port.written().at(-1)?.id).toBe('same');
  });
});

describe('a message event', () => {
  test('brings the text of the message, and is sent on by its lane', async () => {
    const { port } = flows;
    await flows.deploy(
      flow('hl7', [
        { type: 'hl7 in', channel: 'lab', messageType: 'ORU^R01', maxInFlight: 1 },
        {
          type: 'send',
          destination: 'archive',
          lane: '{{topic}}',
          contentType: 'application/hl7-v2',
          property: 'payload',
        },
      ]),
    );
    await until(() => port.subscriptions[0]?.name === 'hl7');

    const id = port.announceMessage('hl7', 'MSH|^~\\&|\rPID|1\r');
    await until(() => port.event(id).state === 'done');

    expect(port.subscriptions).toEqual([
      { kind: 'message', name: 'hl7', channel: 'lab', messageType: 'ORU^R01' },
    ]);
    expect(port.sent().at(-1)).toEqual({
      kind: 'send',
      destination: 'archive',
      lane: 'ORU^R01',
      contentType: 'application/hl7-v2',
      body: 'MSH|^~\\&|\rPID|1\r',
    });
  });
});

describe('a deployment', () => {
  test('waits for what is in flight', async () => {
    const { port } = flows;
    const slow = flow('slow', [
      event,
      fn(
        `setTimeout(() => { node.send({ payload: { resourceType: 'Basic', id: 'slow' } }); node.done(); }, 600);`,
      ),
      write,
    ]);
    await flows.deploy(slow);
    await until(() => port.subscriptions[0]?.name === 'slow');
    const id = port.announce('slow', given);
    await until(() => port.event(id).state === 'leased');

    await flows.deploy(slow);

    await until(() => port.event(id).state === 'done');
    expect(port.event(id).attempts).toBe(1);
  });

  test('is kept', () => {
    expect(readFileSync(join(flows.userDir, 'flows.json'), 'utf8')).toContain('"slow"');
  });

  test('with a criterion that the engine refuses says so, and listens again when it is mended', async () => {
    const { port } = flows;
    await flows.deploy(flow('wrong', [{ ...event, criteria: 'Nothing' }]));
    await until(() => flows.lines.some((line) => line.startsWith('what the flows listen for was refused')));
    await flows.deploy(flow('right', [event]));
    await until(() => port.subscriptions[0]?.name === 'right');
  });
});
