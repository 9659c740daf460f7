// Step 8 of processing: those who listen for messages are told inside the commit, so that nothing is told twice or not at all.
import type { Committed, ProcessingParts } from './stages.ts';

export async function announce(message: Committed, { listeners, unit }: ProcessingParts): Promise<Committed> {
  for (const listener of listeners) await listener(message.record, unit);
  return message;
}
