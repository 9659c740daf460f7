// `kiungo compact`: makes the store's file as small as what is in it. The engine must be stopped.
import { compactStore } from '../../storage/sqlite/compact.ts';
import { existingStore } from '../stored.ts';
import type { Command } from './command.ts';

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

export const compactCommand: Command = {
  usage: 'compact',
  sentence: 'Gives the disk back what deletions have left free in the store. The engine must be stopped.',
  run: async ({ config, say }) => {
    const { bytesBefore, bytesAfter } = compactStore(existingStore(config));
    say(`${megabytes(bytesBefore)} before, ${megabytes(bytesAfter)} now`);
    return 0;
  },
};
