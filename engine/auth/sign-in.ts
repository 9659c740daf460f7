// A person's way in and out: GET and POST /sign-in, POST /sign-out.
import type { HttpAnswer, HttpRequest } from '../kernel/http-route.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { Attempts } from './attempts.ts';
import type { User, UserDirectory } from './directory.ts';
import { formOf } from './form.ts';
import { nextPath } from './next-path.ts';
import { isSameOrigin } from './same-origin.ts';
import { nobodysPassword, secretMatches } from './secrets.ts';
import type { Sessions } from './sessions.ts';
import { signInPage, type SignInPlace } from './sign-in-page.ts';

export interface SignInParts {
  readonly users: UserDirectory;
  readonly sessions: Sessions;
  readonly attempts: Attempts;
  readonly publicUrl: () => string;
  /** Where a person goes who came for nothing in particular. */
  readonly home: string;
}

/** Longer ones are nobody's, and only keep scrypt busy. */
const longestPassword = 1024;

export async function showSignIn(parts: SignInParts, request: HttpRequest): Promise<HttpAnswer> {
  return signInPage(200, { next: nextPath(request.query.get('next'), parts.home), root: rootOf(request) });
}

export async function signIn(parts: SignInParts, request: HttpRequest): Promise<HttpAnswer> {
  refuseForeignForm(parts, request);
  const form = formOf(request);
  const next = nextPath(form.get('next'), parts.home);
  const root = rootOf(request);
  const page = { next, root };
  const name = form.get('name') ?? '';
  const who = { name: `user ${name}`, address: request.address ?? '' };
  const waitMs = parts.attempts.begin(who);
  if (waitMs > 0) return slowDown(page, Math.ceil(waitMs / 1000));
  const user = await verified(await parts.users.user(name), form.get('password') ?? '');
  if (!user) return signInPage(401, page, 'Name or password is not right.');
  parts.attempts.succeeded(who);
  return redirect(`${root}${next}`, await parts.sessions.begin(user.name));
}

export async function signOut(parts: SignInParts, request: HttpRequest): Promise<HttpAnswer> {
  refuseForeignForm(parts, request);
  const session = await parts.sessions.read(request.headers['cookie']);
  return redirect(`${rootOf(request)}/sign-in`, parts.sessions.end(session));
}

/** Another site must not sign a person in as somebody else, nor out. */
function refuseForeignForm(parts: SignInParts, request: HttpRequest): void {
  if (isSameOrigin(request.headers, parts.publicUrl(), request.cameBy) === false) {
    throw new Refusal('forbidden', 'this form was sent from another site');
  }
}

async function verified(user: User | undefined, password: string): Promise<User | undefined> {
  if (password.length > longestPassword) return undefined;
  const matches = await secretMatches(password, user?.passwordHash ?? nobodysPassword);
  return matches ? user : undefined;
}

const rootOf = ({ root = '' }: HttpRequest): string => root;

const slowDown = (page: SignInPlace, seconds: number): HttpAnswer =>
  signInPage(429, page, `Too many failed attempts. Wait ${seconds} seconds, then try again.`, {
    'retry-after': String(seconds),
  });

/** 303: the browser comes with GET, whatever it came with. */
const redirect = (location: string, cookie: string): HttpAnswer => ({
  status: 303,
  headers: { location, 'set-cookie': cookie, 'cache-control': 'no-store' },
});
