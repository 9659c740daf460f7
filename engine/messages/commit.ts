// Step 6 of processing: the resources and the message's new state, in the transaction of the unit.
import type { Bundle } from '@medplum/fhirtypes';
import type { RepositoryUnit } from '../repository/repository.ts';
import type { MessageChange } from '../storage/message-store.ts';
import { bundleBytes } from './route.ts';
import type { Committed, Mapped, Meaning, ProcessingParts } from './stages.ts';

export async function commit(message: Mapped, { unit, settingsOf }: ProcessingParts): Promise<Committed> {
  const { record, meaning } = message;
  const change = await changeOf(meaning, unit);
  await unit.messages.change(record.id, change);
  const { storage = 'body' } = settingsOf(record.channel);
  if (storage === 'facts') await unit.messages.dropBody(record.id);
  if (storage === 'all' && meaning.kind === 'resources') {
    await unit.messages.keepMapped(record.id, bundleBytes(meaning.bundle));
  }
  return { ...message, record: { ...record, ...change } };
}

async function changeOf(meaning: Meaning, unit: RepositoryUnit): Promise<MessageChange> {
  switch (meaning.kind) {
    case 'set-aside':
      return { state: 'set-aside', reason: meaning.reason, map: meaning.map, effects: [] };
    case 'handed-on':
      return { state: 'processed', reason: undefined, map: undefined, effects: [] };
    case 'resources': {
      const effects = effectsOf(await unit.apply(meaning.bundle));
      return { state: 'processed', reason: undefined, map: meaning.map, effects };
    }
  }
}

const versionedLocation = /[A-Z][A-Za-z]*\/[A-Za-z0-9.-]+\/_history\/[0-9]+$/;

/** `Type/id/_history/version` of each entry, as the response says, whether or not it was already so. */
function effectsOf(response: Bundle): readonly string[] {
  return (response.entry ?? []).flatMap(
    (entry) => versionedLocation.exec(entry.response?.location ?? '') ?? [],
  );
}
