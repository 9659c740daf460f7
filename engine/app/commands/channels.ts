// `kiungo channels test`: runs the cases of channels, without network and without touching the hospital's store.
import { join } from 'node:path';
import { createIds } from '../ambient.ts';
import { runCaseFiles } from '../channel-cases.ts';
import type { Command } from './command.ts';

const shippedMappings = join(import.meta.dirname, '..', '..', '..', 'mappings');

export const channelsCommand: Command = {
  usage: 'channels test <files or folders>',
  sentence: 'Runs the cases of channels and says what differs; ends with 1 when a case does not hold.',
  run: async ({ config, clock, say }, [what, ...paths]) => {
    if (what !== 'test' || paths.length === 0) {
      say(`kiungo ${channelsCommand.usage}`);
      return 2;
    }
    const { timeZone, mappings = shippedMappings } = config;
    const failed = await runCaseFiles(paths, { clock, ids: createIds(clock), mappings, timeZone }, say);
    return failed === 0 ? 0 : 1;
  },
};
