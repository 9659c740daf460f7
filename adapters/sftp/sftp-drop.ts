// Hands deliveries out as files on an SFTP server: one file a delivery, complete or not there at all.
import type { Sender } from '../../engine/index.ts';
import { failedBy, SftpFailure } from './failure.ts';
import { SftpSession, type SftpPlace } from './session.ts';

export interface SftpDropOptions extends SftpPlace {
  /** On the server; it must be there. */
  readonly folder: string;
}

/** Endings of names by media type; anything else is `.txt`. */
const endings: Readonly<Record<string, string>> = {
  'application/fhir+json': '.json',
  'application/json': '.json',
  'application/hl7-v2': '.hl7',
};

/**
 * The file is named after the delivery, so that the same delivery handed out again after a power cut replaces its file. It is written under
 * a hidden name that ends in `.part`, then renamed. Deliveries take turns on one connection.
 */
export function createSftpDrop(options: SftpDropOptions): Sender {
  const session = new SftpSession(options);
  let last: Promise<unknown> = Promise.resolve();

  const deliver: Sender['send'] = async ({ id, contentType, payload }) => {
    const ending = endings[contentType.split(';', 1)[0] ?? ''] ?? '.txt';
    try {
      const files = await session.files();
      await files.writeWhole(options.folder, `${id}${ending}`, payload);
      return { state: 'done' };
    } catch (error) {
      if (error instanceof SftpFailure) return failedBy(error);
      throw error;
    }
  };
  return {
    send: (delivery) => {
      const result = last.then(() => deliver(delivery));
      last = result.catch(() => undefined);
      return result;
    },
    close: async () => {
      await last;
      session.close();
    },
  };
}
