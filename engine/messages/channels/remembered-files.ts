// What the channels of files were, kept beside the files: so that of a file that is gone it is known what its messages waited for.
import type { Clock } from '../../kernel/clock.ts';
import { engineActor, type Actor } from '../../kernel/actor.ts';
import { Refusal } from '../../kernel/outcomes.ts';
import type { ConfigurationVersion, ConfigurationWriter } from '../../storage/configuration-store.ts';
import type { Store } from '../../storage/store.ts';
import type { ChannelFile } from './channel-files.ts';
import type { ChannelDefinition } from './channel.ts';
import { readChannel } from './read-channel.ts';

const kind = 'channel-file';

/** Writes down those that are new or changed; answers all that ever were, and were not forgotten. */
export async function rememberFiles(
  files: readonly ChannelFile[],
  { store, clock }: { readonly store: Pick<Store, 'transact' | 'configuration'>; readonly clock: Clock },
): Promise<readonly ChannelFile[]> {
  const known = new Map((await store.configuration.current(kind)).map((one) => [one.name, one.body]));
  const changed = files.filter((file) => known.get(file.definition.name) !== JSON.stringify(file));
  if (changed.length > 0) {
    await store.transact(async ({ configuration }) => {
      for (const file of changed) await configuration.put(versionOf(file, clock));
    });
  }
  return (await store.configuration.current(kind)).map(fileOf);
}

/** What is asked for by somebody: nothing waits for the file any more. */
export const forgetFile = (
  configuration: ConfigurationWriter,
  name: string,
  { actor, comment, at }: { readonly actor: Actor; readonly comment: string; readonly at: number },
): Promise<number> => configuration.put({ kind, name, at, by: actor.id, comment, body: undefined });

const versionOf = (file: ChannelFile, clock: Clock): Omit<ConfigurationVersion, 'version'> => ({
  ...{ kind, name: file.definition.name, at: clock.now(), by: engineActor.id, comment: file.file },
  body: JSON.stringify(file),
});

function fileOf({ name, body = '{}' }: ConfigurationVersion): ChannelFile {
  const { file = name, definition } = JSON.parse(body) as Partial<ChannelFile>;
  return { file, definition: readable(name, definition) };
}

/** What an earlier release wrote may be no channel any more: then only its name is known. */
function readable(name: string, definition: unknown): ChannelDefinition {
  try {
    return readChannel(definition, name);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { name, source: { kind: 'http' } };
  }
}
