// By what a message should be found: told to the store by who can read its bytes, when both are compared.
import type { MessageKey } from './message-store.ts';

export interface Findable {
  /** Its text, of which the words are indexed. */
  readonly text: string;
  /** false: how its bytes are read depends on what its channel said when it came. Then its words and keys cannot be told. */
  readonly isSure: boolean;
  /** The keys that it has on any channel. */
  readonly keys: readonly MessageKey[];
  /** Whether it may have the key: read from it, or one that the engine gives. */
  readonly mayHave: (key: MessageKey) => boolean;
}

/** Undefined for what cannot be read. Never throws. */
export type FindableOf = (message: {
  readonly format: string;
  readonly bytes: Uint8Array;
}) => Findable | undefined;
