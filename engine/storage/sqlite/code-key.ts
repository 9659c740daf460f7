// A code as the index holds it: itself, or for a long one its beginning and its SHA-256.
import { createHash } from 'node:crypto';

/** Codes up to this length are kept as they are: shorter than most hashes, exact, and in order. */
const plainCodeLength = 64;
/** Stands in codes that are kept as a digest. */
export const digestMark = '\u0000';

export function codeKey(code: string): string {
  if (code.length <= plainCodeLength && !code.includes(digestMark)) return code;
  return code.slice(0, 16) + digestMark + createHash('sha256').update(code).digest('base64url');
}
