// Who is asking: access tokens of programs, session cookies of people, and the routes where both are had.
import type { Actor } from '../kernel/actor.ts';
import type { HttpRoute } from '../kernel/http-route.ts';
import { Refusal } from '../kernel/outcomes.ts';
import { createAttempts } from './attempts.ts';
import type { ClientDirectory, UserDirectory } from './directory.ts';
import { headerOf, type Headers } from './headers.ts';
import { isSameOrigin } from './same-origin.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { showSignIn, signIn, signOut } from './sign-in.ts';
import { answerToken } from './token-endpoint.ts';
import { createTokens, type TokenOptions, type Tokens } from './tokens.ts';

export interface AuthOptions extends TokenOptions {
  readonly clients: ClientDirectory;
  readonly users: UserDirectory;
  /** Where a person goes after sign-in who came for nothing in particular; default `/`. */
  readonly home?: string;
}

export interface Authentication {
  readonly actor: Actor;
  /** To be sent with the answer: it keeps the session going. */
  readonly setCookie: string | undefined;
}

export interface Auth {
  /**
   * undefined when nobody, or nobody known, is asking. `changes`: whether the request changes something or opens a connection; with
   * a cookie it must then come from our own pages, else Refusal `forbidden`. `cameBy`: the URL by which it came, as far as proxies can be
   * trusted.
   */
  authenticate(headers: Headers, changes: boolean, cameBy: () => string): Promise<Authentication | undefined>;
  /** The token endpoint, sign-in and sign-out: all public. */
  readonly routes: readonly HttpRoute[];
}

/** HMAC-SHA-256 wants a key as long as its output (RFC 7518, 3.2). */
const shortestKey = 32;

/** Throws Error when the signing key is too short. */
export function createAuth(options: AuthOptions): Auth {
  if (options.signingKey.length < shortestKey) throw new Error('the signing key needs at least 32 bytes');
  const tokens = createTokens(options);
  const sessions = createSessions(options);
  return {
    authenticate: (headers, changes, cameBy) => {
      const authorization = headerOf(headers, 'authorization');
      return authorization === undefined
        ? bySession(options, sessions, headers, changes && { cameBy })
        : byToken(tokens, authorization);
    },
    routes: routesOf(options, tokens, sessions),
  };
}

async function byToken(tokens: Tokens, authorization: string): Promise<Authentication | undefined> {
  if (!/^Bearer /i.test(authorization)) return undefined;
  const actor = await tokens.verify(authorization.slice('Bearer '.length).trim());
  return actor && { actor, setCookie: undefined };
}

async function bySession(
  { users, publicUrl }: AuthOptions,
  sessions: Sessions,
  headers: Headers,
  changes: false | { readonly cameBy: () => string },
): Promise<Authentication | undefined> {
  const session = await sessions.read(headerOf(headers, 'cookie'));
  const user = session && (await users.user(session.user));
  if (!session || !user) return undefined;
  if (changes && isSameOrigin(headers, publicUrl(), changes.cameBy()) !== true) {
    throw new Refusal(
      'forbidden',
      'with a session cookie, changes are taken from our own pages only',
      'Origin',
    );
  }
  const actor: Actor = { kind: 'user', id: user.name, scopes: user.scopes };
  return { actor, setCookie: await sessions.renew(session) };
}

function routesOf(options: AuthOptions, tokens: Tokens, sessions: Sessions): readonly HttpRoute[] {
  const attempts = createAttempts(options.clock);
  const { clients, users, publicUrl, home = '/' } = options;
  const endpoint = { clients, tokens, attempts };
  const parts = { users, sessions, attempts, publicUrl, home };
  const access = 'public';
  return [
    { method: 'POST', path: '/oauth2/token', access, handle: (request) => answerToken(endpoint, request) },
    { method: 'GET', path: '/sign-in', access, handle: (request) => showSignIn(parts, request) },
    { method: 'POST', path: '/sign-in', access, handle: (request) => signIn(parts, request) },
    { method: 'POST', path: '/sign-out', access, handle: (request) => signOut(parts, request) },
  ];
}
