// Gives the outbox a sender for each destination of the settings.
import { isAbsolute, join } from 'node:path';
import { createFileDrop } from '../../adapters/file/file-drop.ts';
import { createMllpSender } from '../../adapters/hl7/sender.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Outbox } from '../messages/outbox.ts';
import type { Sender } from '../messages/ports.ts';
import type { Config, Destination } from './read-config.ts';

interface Parts {
  readonly config: Config;
  readonly logger: Logger;
}

/** By the scheme of the destination's URL, as `KIUNGO_DESTINATIONS` admits it. */
const makers: Readonly<Record<string, (destination: Destination, parts: Parts) => Sender>> = {
  file: ({ url }, { config }) => {
    const folder = url.slice('file:'.length);
    return createFileDrop(isAbsolute(folder) ? folder : join(config.data, 'outbox', folder));
  },
  mllp: ({ name, url }, { logger }) => {
    const { hostname, port } = new URL(url);
    return createMllpSender({
      host: hostname,
      port: Number(port),
      random: Math.random,
      logger: logger.child({ destination: name }),
    });
  },
};

export function registerDestinations(outbox: Outbox, parts: Parts): void {
  for (const destination of parts.config.destinations) {
    const make = makers[destination.url.slice(0, destination.url.indexOf(':'))];
    if (make !== undefined) outbox.register(destination.name, make(destination, parts));
  }
}
