// The inner door between the engine's proxy and the flows process: a secret that only the two know, and who is signed in.

/** Carries the secret of this start of the flows process. */
export const keyHeader = 'x-kiungo-flows-key';
/** Carries the name of the signed-in user. */
export const userHeader = 'x-kiungo-user';

/** What the engine tells the flows process first. */
export interface FlowsStart {
  readonly userDir: string;
  readonly libraryDir: string;
  readonly publicPath: string;
  readonly credentialSecret: string;
  readonly key: string;
  readonly beatMs: number;
  readonly pollMs: number;
  readonly requestMs: number;
  readonly commitMs: number;
  readonly drainMs: number;
}

/** What the flows process says of itself, with every beat of its heart. */
export interface FlowsBeat {
  readonly rssBytes: number;
  readonly inFlight: number;
}
