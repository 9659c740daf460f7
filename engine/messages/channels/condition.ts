// Conditions over a message, as data: what a channel takes in, and what a destination gets.
import type { WireMessage } from '../../mapping/wire-message.ts';
import { readMessagePath } from './message-path.ts';

/** One of `is`, `begins`, `contains` and `valued` is there. It holds when it holds for any text at the path. */
export interface Condition {
  readonly path: string;
  readonly is?: string | readonly string[];
  readonly begins?: string;
  readonly contains?: string;
  readonly valued?: boolean;
  /** The other way round. */
  readonly not?: boolean;
}

export type Test = (message: WireMessage) => boolean;

type Holds = (texts: readonly string[]) => boolean;

function holdsOf({ is, begins, contains, valued }: Condition): Holds {
  if (is !== undefined) {
    const accepted = new Set(typeof is === 'string' ? [is] : is);
    return (texts) => texts.some((text) => accepted.has(text));
  }
  if (begins !== undefined) return (texts) => texts.some((text) => text.startsWith(begins));
  if (contains !== undefined) return (texts) => texts.some((text) => text.includes(contains));
  return (texts) => texts.length > 0 === (valued ?? true);
}

/** Throws SyntaxError for a path that is none. */
export function compileCondition(condition: Condition): Test {
  const path = readMessagePath(condition.path);
  if (path === undefined) throw new SyntaxError(`"${condition.path}" is no path: write it as PID-3.1`);
  const holds = holdsOf(condition);
  const wanted = condition.not !== true;
  return (message) => holds(path(message)) === wanted;
}
