// Who does something: recorded with every write, asked by every access rule.

export interface Actor {
  readonly kind: 'client' | 'user' | 'device' | 'flow' | 'system';
  /** Client id, user name, channel name, subscription name or part of the engine. */
  readonly id: string;
  /** SMART scopes or roles: `system/*.cruds`, `user/*.cruds`, `admin`. */
  readonly scopes: readonly string[];
}

/** The engine itself, acting on nobody's request. */
export const engineActor: Actor = { kind: 'system', id: 'kiungo', scopes: ['system/*.cruds'] };
