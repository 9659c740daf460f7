// A person's session in a browser: a signed cookie, so that every process of a cluster knows it. It ends after 30 minutes of
// silence, after 12 hours in any case, and at sign-out.
import { SignJWT, type JWTPayload } from 'jose';
import { createBoundedMap } from './bounded-map.ts';
import { verifyJwt, type TokenOptions } from './tokens.ts';

const idleSeconds = 30 * 60;
const longestSeconds = 12 * 60 * 60;
/** A cookie is renewed when it is older than this, not at every request. */
const renewAfterSeconds = 5 * 60;

interface Session {
  readonly user: string;
  readonly id: string;
  /** When the person signed in, s since 1970. */
  readonly since: number;
  /** When this cookie was made, s since 1970. */
  readonly issuedAt: number;
}

export interface Sessions {
  /** The Set-Cookie of a new session. */
  begin(user: string): Promise<string>;
  /** The session that a Cookie header carries, if it is valid. */
  read(cookies: string | undefined): Promise<Session | undefined>;
  /** The Set-Cookie that keeps a session going; undefined when it is not time yet. */
  renew(session: Session): Promise<string | undefined>;
  /** Ends the session, and answers the Set-Cookie that takes the cookie away. */
  end(session: Session | undefined): string;
}

export function createSessions(options: TokenOptions): Sessions {
  // A signed-out cookie stays signed; whoever kept a copy is refused here (by this process) until it runs out.
  const ended = createBoundedMap<true>(10_000);
  const nowSeconds = (): number => Math.floor(options.clock.now() / 1000);
  return {
    begin: (user) => {
      const now = nowSeconds();
      return cookie(options, { user, id: options.ids.next(), since: now, issuedAt: now });
    },
    read: async (cookies) => {
      const token = cookieValue(cookies, cookieName(options.publicUrl()));
      const claims = token === undefined ? undefined : await verifyJwt(token, options, 'session+jwt');
      const session = claims && sessionOf(claims);
      return session && ended.get(session.id) === undefined ? session : undefined;
    },
    renew: async (session) => {
      const now = nowSeconds();
      return now - session.issuedAt < renewAfterSeconds
        ? undefined
        : cookie(options, { ...session, issuedAt: now });
    },
    end: (session) => {
      if (session) ended.set(session.id, true);
      return setCookie(options.publicUrl(), '', 0);
    },
  };
}

async function cookie(options: TokenOptions, session: Session): Promise<string> {
  const url = options.publicUrl();
  const end = Math.min(session.issuedAt + idleSeconds, session.since + longestSeconds);
  const token = await new SignJWT({ since: session.since })
    .setProtectedHeader({ alg: 'HS256', typ: 'session+jwt' })
    .setIssuer(url)
    .setAudience(url)
    .setSubject(session.user)
    .setJti(session.id)
    .setIssuedAt(session.issuedAt)
    .setExpirationTime(end)
    .sign(options.signingKey);
  return setCookie(url, token, end - session.issuedAt);
}

function sessionOf({ sub, jti, iat, since }: JWTPayload): Session | undefined {
  if (sub === undefined || jti === undefined || iat === undefined || typeof since !== 'number') {
    return undefined;
  }
  return { user: sub, id: jti, since, issuedAt: iat };
}

const isSecure = (publicUrl: string): boolean => publicUrl.startsWith('https:');

/** Browsers let only this very host set a cookie named `__Host-`, and only over TLS. */
const cookieName = (publicUrl: string): string =>
  isSecure(publicUrl) ? '__Host-kiungo-session' : 'kiungo-session';

/**
 * SameSite=Strict: no other site's link or form carries the cookie. The way back after sign-in is a redirect within this site, which
 * does carry it; a link from elsewhere to a protected page leads to the sign-in page.
 */
function setCookie(publicUrl: string, value: string, maximumAge: number): string {
  const attributes = `Path=/; HttpOnly; SameSite=Strict; Max-Age=${maximumAge}`;
  return `${cookieName(publicUrl)}=${value}; ${attributes}${isSecure(publicUrl) ? '; Secure' : ''}`;
}

function cookieValue(cookies: string | undefined, name: string): string | undefined {
  const found = cookies?.split(';').find((pair) => pair.trim().startsWith(`${name}=`));
  return found?.trim().slice(name.length + 1);
}
