// Hands deliveries out as files: one file a delivery, complete or not there at all.
import type { Sender, SendResult } from '../../engine/index.ts';
import { writeWhole } from './write-whole.ts';

/** File name endings by media type; anything else is `.txt`. */
const endings: Readonly<Record<string, string>> = {
  'application/fhir+json': '.json',
  'application/json': '.json',
  'application/hl7-v2': '.hl7',
};

/**
 * A sender that writes into `folder`, which it makes when absent. The file is named after the delivery, so that the same delivery
 * handed out again after a power cut replaces its file. It is written aside, forced to the disk, then renamed.
 */
export function createFileDrop(folder: string): Sender {
  return {
    send: async ({ id, contentType, payload }) => {
      try {
        await writeWhole(folder, `${id}${endings[contentType.split(';')[0] ?? ''] ?? '.txt'}`, payload);
        return { state: 'done' };
      } catch (error) {
        return notWritten(error);
      }
    },
    close: async () => undefined,
  };
}

function notWritten(error: unknown): SendResult {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  const text = `the file could not be written (${code}); see that the folder exists, may be written and has room`;
  return { state: 'failed', retry: 'transient', reason: { code: 'file-not-written', text } };
}
