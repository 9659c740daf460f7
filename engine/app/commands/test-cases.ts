// `kiungo channels test`: runs the cases of channels, without network and without touching the hospital's store.
import { join } from 'node:path';
import { createIds } from '../ambient.ts';
import type { Subcommand } from './subcommands.ts';

const shippedMappings = join(import.meta.dirname, '..', '..', '..', 'mappings');

export const testCases: Subcommand = {
  usage: '<files or folders>',
  sentence: 'Runs the cases of channels and says what differs; ends with 1 when a case does not hold.',
  takes: [1, Infinity],
  run: async ({ config, clock, say, words }) => {
    // It loads the whole engine, which no other subcommand needs.
    const { runCaseFiles } = await import('../channel-cases.ts');
    const { timeZone, mappings = shippedMappings, mapOverlays: overlays } = config;
    const parts = { clock, ids: createIds(clock), mappings, timeZone };
    const failed = await runCaseFiles(words, overlays === undefined ? parts : { ...parts, overlays }, say);
    return failed === 0 ? 0 : 1;
  },
};
