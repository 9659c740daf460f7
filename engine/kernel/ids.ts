// New identifiers as a part that is handed over, so that a test knows them beforehand.

export interface Ids {
  /** A new id, valid as a FHIR `id` (1–64 of A–Z a–z 0–9 - .): a UUID version 7, so that ids of one time lie together. */
  next(): string;
  /** `bytes` bytes of unguessable chance, base64url: for secrets and tokens. */
  secret(bytes: number): string;
}
