// The wire formats that adapters have brought, found by media type.
import { Refusal } from '../kernel/outcomes.ts';
import type { MessageFormat } from './ports.ts';

export interface Formats {
  /** Parameters (`; charset=…`) and case are ignored. Throws Refusal `unsupported-media-type`. */
  of(mediaType: string): MessageFormat;
  /** The media type that stored messages of this format carry. */
  nameOf(format: MessageFormat): string;
}

export function createFormats(formats: readonly MessageFormat[]): Formats {
  const byMediaType = new Map(formats.flatMap((format) => format.mediaTypes.map((type) => [type, format])));
  return {
    of: (mediaType) => {
      const format = byMediaType.get(bareMediaType(mediaType));
      if (format === undefined) throw unknownFormat([...byMediaType.keys()]);
      return format;
    },
    nameOf: (format) => format.mediaTypes[0] ?? '',
  };
}

const bareMediaType = (mediaType: string): string => (mediaType.split(';', 1)[0] ?? '').trim().toLowerCase();

const unknownFormat = (known: readonly string[]): Refusal =>
  new Refusal('unsupported-media-type', `send the message as one of: ${known.join(', ')}`, 'Content-Type');
