// Step 4 of processing: the resources and the message's new state, in the transaction of the unit.
import type { Bundle } from '@medplum/fhirtypes';
import type { MessageChange } from '../storage/message-store.ts';
import type { Committed, Mapped, ProcessingParts } from './stages.ts';

export async function commit({ record, meaning }: Mapped, { unit }: ProcessingParts): Promise<Committed> {
  const change: MessageChange =
    meaning.kind === 'set-aside'
      ? { state: 'set-aside', reason: meaning.reason, map: meaning.map, effects: [] }
      : {
          state: 'processed',
          reason: undefined,
          map: meaning.map,
          effects: effectsOf(await unit.apply(meaning.bundle)),
        };
  await unit.messages.change(record.id, change);
  return { record: { ...record, ...change } };
}

const versionedLocation = /[A-Z][A-Za-z]*\/[A-Za-z0-9.-]+\/_history\/[0-9]+$/;

/** `Type/id/_history/version` of each entry, as the response says, whether or not it was already so. */
function effectsOf(response: Bundle): readonly string[] {
  return (response.entry ?? []).flatMap(
    (entry) => versionedLocation.exec(entry.response?.location ?? '') ?? [],
  );
}
