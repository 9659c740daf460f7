// Secrets are kept as hashes only: SHA-256 for those that are long and random, scrypt for those that people choose.
import { createHash, scrypt, timingSafeEqual } from 'node:crypto';

/** RFC 7914; 2^15 × 8 × 128 bytes is 32 MiB, some 80 ms. */
const cost = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 } as const;
const keyBytes = 32;

/** For secrets of at least 128 random bits; anything shorter wants `hashPassword`. */
export const hashSecret = (secret: string): string => `sha256:${sha256(secret).toString('base64url')}`;

/** `salt`: 16 bytes of chance as `ids.secret(16)` gives them. */
export async function hashPassword(password: string, salt: string): Promise<string> {
  return `scrypt:${salt}:${(await derive(password, salt)).toString('base64url')}`;
}

/** Nobody's: compared with where there is no such client or user, so that this takes as long. */
export const nobodysSecret = 'sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
export const nobodysPassword = 'scrypt:nobody:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

/** In a time that does not tell how much of it is right. */
export async function secretMatches(secret: string, hash: string): Promise<boolean> {
  const [kind, first = '', second = ''] = hash.split(':');
  if (kind === 'sha256') return same(sha256(secret), first);
  if (kind === 'scrypt') return same(await derive(secret, first), second);
  throw new Error('a stored secret has an unknown form');
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();

function same(computed: Buffer, kept: string): boolean {
  const expected = Buffer.from(kept, 'base64url');
  return expected.length === computed.length && timingSafeEqual(expected, computed);
}

/** NFKC, so that one password typed on two keyboards is one password. */
const derive = (password: string, salt: string): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, keyBytes, cost, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
