// By what a kept message should be found, read from its bytes alone: for those who compare it with what the store has.
import { isUtf8 } from 'node:buffer';
import { Refusal } from '../kernel/outcomes.ts';
import type { WireMessage } from '../mapping/wire-message.ts';
import type { FindableOf } from '../storage/findable.ts';
import type { MessageKey } from '../storage/message-store.ts';
import type { Formats } from './formats.ts';
import { usualKeys } from './index-keys.ts';
import { textOf } from './message-text.ts';
import { responseKey } from './responses.ts';

/** Whatever set its channel names: these two have no letter beyond ASCII in common. */
const [oneCharset, otherCharset] = ['8859/1', '8859/5'] as const;

/** Undefined for what cannot be read. */
export function findableIn(formats: Formats): FindableOf {
  return ({ format, bytes: raw }) => {
    const wire = read(formats, format, raw, oneCharset);
    if (wire === undefined) return undefined;
    const text = textOf({ raw, wire });
    const isSure = isUtf8(raw) || text === otherText(formats, format, raw);
    const whole = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
    const mayHave = ({ name, value }: MessageKey): boolean =>
      !isSure || name === responseKey || text.includes(value) || whole.includes(value);
    return { text, isSure, mayHave, keys: isSure ? usualKeys(wire) : [] };
  };
}

function otherText(formats: Formats, format: string, raw: Uint8Array): string | undefined {
  const wire = read(formats, format, raw, otherCharset);
  return wire && textOf({ raw, wire });
}

function read(formats: Formats, format: string, raw: Uint8Array, charset: string): WireMessage | undefined {
  try {
    return formats.of(format).parse(raw, charset).message;
  } catch (error) {
    // Of a format that there was once.
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
