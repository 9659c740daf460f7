// Step 3 of processing: what its channel does not want is set aside, with the condition that it did not meet.
import type { Filtered, Parsed, ProcessingParts } from './stages.ts';

export function filter(message: Parsed, { settingsOf }: ProcessingParts): Parsed | Filtered {
  const { filters = [] } = settingsOf(message.record.channel);
  const failed = filters.findIndex(({ test }) => !test(message.wire));
  if (failed === -1) return message;
  const place = filters[failed]?.place ?? '';
  const text = `the channel takes no such message: its filter ${failed + 1} (${place}) does not hold`;
  const reason = { code: 'filtered', text };
  return { ...message, meaning: { kind: 'set-aside', map: undefined, reason, isFiltered: true } };
}
