// Time as a part that is handed over, so that a test can hold it still.

export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
}
