// A house that takes messages one after the other through the shipped maps into a real store, for tests that tell stories.
import type { Resource } from '@medplum/fhirtypes';
import { parseJson } from '../../engine/fhir/exact-json.ts';
import type { Mapper } from '../../engine/mapping/mapper.ts';
import type { MessageRecord } from '../../engine/storage/message-store.ts';
import { administrator, arrivalOf, openHouse, until, type House } from '../engine/messages/house.ts';

export interface Ward {
  readonly house: House;
  /** Sends a message of the type (`ADT^A01`) and waits for its end. */
  when(type: string, ...segments: readonly string[]): Promise<MessageRecord>;
  found<T extends Resource>(type: T['resourceType'], query?: string): Promise<readonly T[]>;
  /** Throws when there is none, or more. */
  one<T extends Resource>(type: T['resourceType'], query?: string): Promise<T>;
}

export async function openWard(mapper: Mapper): Promise<Ward> {
  const house = await openHouse();
  let sent = 0;

  const when: Ward['when'] = async (type, ...segments) => {
    const header = `MSH|^~\\&|HIS|KCH|KIUNGO|KCH|20260412083000+0300||${type}|${++sent}|P|2.5.1`;
    const raw = Buffer.from(`${[header, ...segments].join('\r')}\r`);
    const { messageId } = await house.inbox().receive(arrivalOf(raw, 'adt'));
    house.clock.advance(1);
    const processor = house.processor({ mapper });
    processor.start();
    await until(async () => (await house.store.messages.message(messageId))?.state !== 'received');
    await processor.stop();
    const message = await house.store.messages.message(messageId);
    if (message === undefined) throw new Error('a message is gone');
    return message;
  };

  const found: Ward['found'] = async <T extends Resource>(type: T['resourceType'], query = '') => {
    const { matches } = await house.repository.as(administrator).search(type, query);
    return matches.flatMap(({ body }) =>
      body === undefined ? [] : [parseJson(Buffer.from(body).toString()) as T],
    );
  };

  const one: Ward['one'] = async <T extends Resource>(type: T['resourceType'], query = '') => {
    const [first, ...more] = await found<T>(type, query);
    if (first === undefined || more.length > 0) throw new Error(`not one ${type}, but ${more.length + 1}`);
    return first;
  };
  return { house, when, found, one };
}
