// What a channel's data makes of a message: conditions, filters, bodies, lanes, storage levels; and what differs between two versions.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { hl7Format } from '../../../adapters/hl7/format.ts';
import type { ChannelDefinition, DestinationDefinition } from '../../../engine/messages/channels/channel.ts';
import { compileChannel } from '../../../engine/messages/channels/compile-channel.ts';
import { compileCondition, type Condition } from '../../../engine/messages/channels/condition.ts';
import { differences } from '../../../engine/messages/channels/diff.ts';
import { readMessagePath } from '../../../engine/messages/channels/message-path.ts';
import type { Delivery, MessageRecord } from '../../../engine/storage/message-store.ts';
import { arrivalOf, hl7, openHouse, until, type House } from './house.ts';
import { wholeDeliveries } from '../../support/deliveries.ts';

const wire = hl7Format.parse(
  Buffer.from('MSH|^~\\&|A|B|||20261121||ORU^R01|1|P|2.5\rPID|||1^^^H~2^^^N||O&P^Q\rOBX|1||x\rOBX|2||y\r'),
).message!;

test.each<[string, readonly string[] | undefined]>([
  ['PID-3', ['1', '2']],
  ['PID-3[2]', ['2']],
  ['PID-3.4', ['H', 'N']],
  ['PID-3[2].4', ['N']],
  ['PID-5.1.2', ['P']],
  ['OBX-3', ['x', 'y']],
  ['MSH-9.2', ['R01']],
  ['ZZZ-1', []],
  ['PID', undefined],
  ['pid-3', undefined],
  ['PID-3.', undefined],
])('the path %s', (text, expected) => expect(readMessagePath(text)?.(wire)).toEqual(expected));

test.each<[Condition, boolean]>([
  [{ path: 'MSH-9.1', is: 'ORU' }, true],
  [{ path: 'MSH-9.1', is: ['ADT', 'ORU'] }, true],
  [{ path: 'MSH-9.1', is: 'ADT' }, false],
  [{ path: 'MSH-9.1', is: 'ADT', not: true }, true],
  [{ path: 'PID-3', is: '2' }, true],
  [{ path: 'OBX-3', begins: 'y' }, true],
  [{ path: 'OBX-3', contains: 'z' }, false],
  [{ path: 'PV1-2', valued: true }, false],
  [{ path: 'PV1-2', valued: false }, true],
])('%j', (condition, expected) => expect(compileCondition(condition)(wire)).toBe(expected));

test('differences are told place by place', () => {
  const from = { a: 1, list: [{ x: 1 }, { x: 2 }], gone: true };
  const to = { a: 1, list: [{ x: 1 }, { x: 3 }, { x: 4 }], come: ['y'] };
  expect(differences(from, to)).toEqual([
    { place: 'list[1].x', from: 2, to: 3 },
    { place: 'list[2]', from: undefined, to: { x: 4 } },
    { place: 'gone', from: true, to: undefined },
    { place: 'come', from: undefined, to: ['y'] },
  ]);
});

describe('in the pipeline', () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(() => house.close());

  const destination = (change: Partial<DestinationDefinition> = {}): DestinationDefinition => ({
    name: 'lis',
    to: { kind: 'file', folder: 'x' },
    ...change,
  });

  async function processed(
    channel: Partial<ChannelDefinition>,
    ...messages: readonly Buffer[]
  ): Promise<readonly MessageRecord[]> {
    const settings = compileChannel({ name: 'lab', source: { kind: 'http' }, ...channel });
    const settingsOf = () => settings;
    const inbox = house.inbox({ settingsOf });
    for (const raw of messages) await inbox.receive(arrivalOf(raw));
    const processor = house.processor({ settingsOf });
    processor.start();
    await until(async () => !Object.values(await house.states()).includes('received'));
    await processor.stop();
    return house.messages();
  }
  const deliveries = (): Promise<readonly Delivery[]> => wholeDeliveries(house.store.messages);

  test.each([
    ['raw', 'application/hl7-v2', hl7().toString()],
    ['fhir', 'application/fhir+json', expect.stringContaining('"resourceType":"Bundle"')],
    ['facts', 'application/json', expect.stringMatching(/"controlId":"1".*"effects":\["Patient/)],
  ] as const)('a destination is sent %s', async (body, contentType, expected) => {
    const [message] = await processed({ destinations: [destination({ body })] }, hl7());
    const [delivery] = await deliveries();
    expect(delivery).toMatchObject({ destination: 'send:lab.lis', contentType, cause: message!.id });
    expect(Buffer.from(delivery!.payload).toString()).toEqual(expected);
  });

  test.each([
    ['destination', ['S1', 'S2'], 1],
    ['order', ['S1', 'S2', 'S1'], 2],
    ['patient', ['S1', 'S2'], 1],
    ['none', ['S1', 'S1'], 2],
  ] as const)('lanes by %s', async (lane, specimens, lanes) => {
    const messages = specimens.map((specimen, index) => hl7({ specimen, controlId: String(index) }));
    await processed({ destinations: [destination({ lane })] }, ...messages);
    const found = (await deliveries()).map((delivery) => delivery.lane);
    expect(found).toHaveLength(specimens.length);
    expect(new Set(found).size).toBe(lanes);
    expect(found.join()).not.toContain('7393670');
  });

  test('a channel that only hands on makes no resources', async () => {
    const [message] = await processed(
      { map: 'none', destinations: [destination()] },
      hl7({ type: 'ZZZ^Z01' }),
    );
    expect(message).toMatchObject({ state: 'processed', effects: [], map: undefined });
    expect(await deliveries()).toHaveLength(1);
  });

  test('conditions of a destination are its own', async () => {
    const when = [{ path: 'OBR-3', is: 'S2' }];
    await processed(
      { destinations: [destination({ when })] },
      hl7(),
      hl7({ controlId: '2', specimen: 'S2' }),
    );
    expect(await deliveries()).toHaveLength(1);
  });

  test.each([
    ['all', true, true],
    ['body', true, false],
    ['facts', false, false],
  ] as const)('storage level %s', async (storage, raw, mapped) => {
    const [message] = await processed({ storage }, hl7());
    const { messages } = house.store;
    expect((await messages.raw(message!.id)) !== undefined).toBe(raw);
    expect((await messages.mapped(message!.id)) !== undefined).toBe(mapped);
  });

  test('at the level of facts what is dead keeps its bytes', async () => {
    const [message] = await processed({ storage: 'facts' }, hl7({ value: 'BAD' }));
    expect(await house.store.messages.raw(message!.id)).toBeDefined();
  });

  test('messages are found by patient, barcode and what the channel indexes, the dead ones too', async () => {
    await processed(
      { index: { device: 'MSH-3' } },
      hl7(),
      hl7({ controlId: '2', specimen: 'S2', value: 'BAD' }),
    );
    const found = async (name: string, value: string): Promise<readonly string[]> => {
      const keys = [{ name, value }];
      const { items } = await house.store.messages.messages({ keys, limit: 9, offset: 0 });
      return items.map(({ controlId }) => controlId);
    };
    expect(await found('patient', '7393670')).toEqual(['2', '1']);
    expect(await found('barcode', 'S2')).toEqual(['2']);
    expect(await found('device', 'BC-5380')).toEqual(['2', '1']);
  });
});
