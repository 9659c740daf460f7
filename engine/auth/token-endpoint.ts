// POST /oauth2/token: the client credentials grant, https://www.rfc-editor.org/rfc/rfc6749#section-4.4
import type { HttpAnswer, HttpRequest } from '../kernel/http-route.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { Attempts } from './attempts.ts';
import type { Client, ClientDirectory } from './directory.ts';
import { formOf } from './form.ts';
import { narrow } from './scopes.ts';
import { nobodysSecret, secretMatches } from './secrets.ts';
import { tokenSeconds, type Tokens } from './tokens.ts';

export interface TokenEndpointParts {
  readonly clients: ClientDirectory;
  readonly tokens: Tokens;
  readonly attempts: Attempts;
}

/** https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
const errors = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_scope: 400,
  unsupported_grant_type: 400,
  slow_down: 429,
} as const;

interface Credentials {
  readonly id: string;
  /** The secret as it may have been meant: clients differ in whether they encode it. */
  readonly secrets: readonly string[];
}

export async function answerToken(parts: TokenEndpointParts, request: HttpRequest): Promise<HttpAnswer> {
  const form = formOrNothing(request);
  if (!form) return refuse('invalid_request', 'a form with each field once is expected');
  const grant = form.get('grant_type');
  if (grant === undefined) return refuse('invalid_request', 'grant_type is missing');
  if (grant !== 'client_credentials') return refuse('unsupported_grant_type', 'only client_credentials');
  const header = request.headers['authorization'];
  if (header !== undefined && form.has('client_secret')) {
    return refuse('invalid_request', 'credentials in the header and in the body');
  }
  const credentials = header === undefined ? postedCredentials(form) : basicCredentials(header);
  if (!credentials) return refuse('invalid_client', 'client credentials are missing or cannot be read');
  return answerCredentials(parts, credentials, form.get('scope'), request.address ?? '');
}

async function answerCredentials(
  { clients, tokens, attempts }: TokenEndpointParts,
  { id, secrets }: Credentials,
  scope: string | undefined,
  address: string,
): Promise<HttpAnswer> {
  const who = { name: `client ${id}`, address };
  const waitMs = attempts.begin(who);
  if (waitMs > 0) return refuse('slow_down', 'too many failed attempts', { 'retry-after': seconds(waitMs) });
  const client = await verified(await clients.client(id), secrets);
  if (!client) return refuse('invalid_client', 'unknown client or wrong secret');
  attempts.succeeded(who);
  const scopes = narrow(scope, client.scopes);
  if (scopes.length === 0) return refuse('invalid_scope', 'the client may have none of these scopes');
  const token = await tokens.issue(client.id, scopes);
  return json(200, {
    access_token: token,
    token_type: 'Bearer',
    expires_in: tokenSeconds,
    scope: scopes.join(' '),
  });
}

async function verified(client: Client | undefined, secrets: readonly string[]): Promise<Client | undefined> {
  const hash = client?.secretHash ?? nobodysSecret;
  const matches = await Promise.all(secrets.map((secret) => secretMatches(secret, hash)));
  return matches.includes(true) ? client : undefined;
}

function formOrNothing(request: HttpRequest): ReadonlyMap<string, string> | undefined {
  try {
    return formOf(request);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

function postedCredentials(form: ReadonlyMap<string, string>): Credentials | undefined {
  const id = form.get('client_id');
  const secret = form.get('client_secret');
  return id === undefined || secret === undefined ? undefined : { id, secrets: [secret] };
}

/** client_secret_basic: both halves are to be form-encoded before they are joined (RFC 6749, 2.3.1); curl does not. */
function basicCredentials(header: string): Credentials | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=_-]+)$/i.exec(header) ?? [];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon < 0) return undefined;
  const secret = pair.slice(colon + 1);
  return { id: formDecoded(pair.slice(0, colon)), secrets: [formDecoded(secret), secret] };
}

const formDecoded = (text: string): string =>
  new URLSearchParams(`x=${text.replaceAll('&', '%26')}`).get('x') ?? '';

const seconds = (ms: number): string => String(Math.ceil(ms / 1000));

function refuse(
  error: keyof typeof errors,
  description: string,
  more: Readonly<Record<string, string>> = {},
): HttpAnswer {
  const challenge = error === 'invalid_client' ? { 'www-authenticate': 'Basic realm="Kiungo"' } : {};
  return json(errors[error], { error, error_description: description }, { ...challenge, ...more });
}

const json = (status: number, body: object, more: Readonly<Record<string, string>> = {}): HttpAnswer => ({
  status,
  headers: { 'cache-control': 'no-store', pragma: 'no-cache', ...more },
  body,
});
