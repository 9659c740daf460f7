// Ids that follow from what they name: the same result always gets the same id, so a replay writes over itself.
import { hash } from 'node:crypto';

/**
 * How many parts tell which ids lie together: the type, whose it is and what it is about. The results of one sample so have
 * one place in the index of ids, and are written there together.
 */
const leading = 3;

/** A UUID (version 8, RFC 9562) over the parts; which part holds what is never mixed up. */
export function deterministicId(parts: readonly string[]): string {
  const digest = hash('sha256', JSON.stringify(parts));
  const cluster = parts.length > leading ? hash('sha256', JSON.stringify(parts.slice(0, leading))) : digest;
  const variant = (8 + (Number.parseInt(digest.charAt(16), 16) % 4)).toString(16);
  return [
    cluster.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    `${variant}${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ].join('-');
}
