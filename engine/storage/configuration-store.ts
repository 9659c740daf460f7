// The port to where configuration that people change lives: channels and what is decided about them. Nothing is overwritten: each change
// is a version, with who made it and why.

/** One version of one thing. */
export interface ConfigurationVersion {
  /** `channel`, `channel-state` … */
  readonly kind: string;
  readonly name: string;
  /** From 1, without gaps. */
  readonly version: number;
  /** ms since 1970. */
  readonly at: number;
  /** Id of the actor. */
  readonly by: string;
  readonly comment: string;
  /** JSON; undefined: removed in this version. */
  readonly body: string | undefined;
}

export interface ConfigurationReader {
  /** The current version of everything of a kind that is not removed, by name. */
  current(kind: string): Promise<readonly ConfigurationVersion[]>;
  /** All versions, newest first; empty when there never was such a thing. */
  history(kind: string, name: string): Promise<readonly ConfigurationVersion[]>;
}

/** Inside a transaction. */
export interface ConfigurationWriter extends ConfigurationReader {
  /**
   * Adds the version after `expected` (0: there is none yet) and answers its number. Throws Refusal `conflict` when the newest version
   * is another one; without `expected` it follows whatever is there.
   */
  put(change: Omit<ConfigurationVersion, 'version'>, expected?: number): Promise<number>;
}
