// Hands a message that is done to chosen destinations of its channel once more, without processing it again.
import { createHash } from 'node:crypto';
import type { Bundle } from '@medplum/fhirtypes';
import { parseResource } from '../fhir/exact-json.ts';
import type { Actor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import { badRequest, conflict, notFound } from '../kernel/outcomes.ts';
import type { Repository } from '../repository/repository.ts';
import type { MessageReader } from '../storage/message-store.ts';
import type { Formats } from './formats.ts';
import { deliveryOf } from './route.ts';
import type { Committed, Meaning, Route, SettingsOf } from './stages.ts';

export interface ResendOptions {
  readonly repository: Pick<Repository, 'transact'>;
  readonly formats: Formats;
  readonly settingsOf: SettingsOf;
  readonly clock: Clock;
  readonly ids: Ids;
}

/**
 * One transaction; answers the ids of the new deliveries. `destinations`: as the outbox knows them, whatever their conditions say. Refusals:
 * `not-found`; `bad-request` for a destination that is not of its channel; `conflict` where what it would be sent is not kept. Under the same
 * `once` a message is sent once to each destination, however often that is asked: what a power cut interrupted is begun again.
 */
export type Resend = (
  id: string,
  destinations: readonly string[],
  actor: Actor,
  once?: string,
) => Promise<readonly string[]>;

export function createResend(options: ResendOptions): Resend {
  const { repository, settingsOf } = options;
  return (id, destinations, actor, once) =>
    repository.transact(actor, async ({ messages }) => {
      const message = await committedMessage(id, messages, options);
      const routes = routesOf(destinations, settingsOf(message.record.channel).routes ?? []);
      const deliveries = routes.map((route) => deliveryOf(message, route, options));
      const made: string[] = [];
      for (const delivery of deliveries) {
        if (delivery === undefined) {
          throw conflict('what was mapped of the message is not kept: replay it instead');
        }
        const deliveryId = once === undefined ? delivery.id : idUnder(once, id, delivery.destination);
        made.push(deliveryId);
        if (once !== undefined && (await messages.delivery(deliveryId)) !== undefined) continue;
        await messages.enqueue({ ...delivery, id: deliveryId });
      }
      return made;
    });
}

const idUnder = (once: string, id: string, destination: string): string =>
  createHash('sha256').update(`${once} ${id} ${destination}`).digest('hex').slice(0, 32);

function routesOf(destinations: readonly string[], known: readonly Route[]): readonly Route[] {
  return destinations.map((name) => {
    const route = known.find(({ destination }) => destination === name);
    if (route === undefined) {
      throw badRequest(`${name} is no destination of the message's channel`, 'destination');
    }
    return route;
  });
}

async function committedMessage(
  id: string,
  messages: MessageReader,
  { formats, settingsOf }: Pick<ResendOptions, 'formats' | 'settingsOf'>,
): Promise<Committed> {
  const record = await messages.message(id);
  if (record === undefined) throw notFound('message', id);
  const raw = await messages.raw(id);
  if (raw === undefined) throw conflict("the message's bytes were let go of");
  const { charset } = settingsOf(record.channel);
  const { message: wire, issues } = formats.of(record.format).parse(raw, charset);
  if (wire === undefined) throw conflict('the message cannot be read: mend it first');
  return { record, raw, wire, issues, meaning: meaningOf(record.map, await messages.mapped(id)) };
}

function meaningOf(map: string | undefined, mapped: Uint8Array | undefined): Meaning {
  if (mapped === undefined) return { kind: 'handed-on' };
  return { kind: 'resources', map: map ?? '', bundle: parseResource(mapped) as unknown as Bundle };
}
