// The demo's way to the engine: FHIR over REST with the administrator's client, as any other system comes in.
import { readFileSync } from 'node:fs';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import type { Clock } from '../../kernel/clock.ts';

export interface FhirClient {
  /** `DiagnosticReport?status=partial` → the first page. Throws when the engine does not answer with success. */
  search<T extends Resource>(query: string): Promise<readonly T[]>;
  /** All of it or nothing. */
  transact(bundle: Bundle): Promise<void>;
}

export interface FhirClientOptions {
  /** Where the engine is, without a trailing slash. */
  readonly base: string;
  /** The file of the administrator's credentials. */
  readonly credentials: string;
  readonly clock: Clock;
}

/** Tokens live ten minutes. */
const renewAfterMs = 8 * 60_000;

export function createFhirClient({ base, credentials, clock }: FhirClientOptions): FhirClient {
  let token: { readonly text: Promise<string>; readonly at: number } | undefined;
  const currentToken = (): Promise<string> => {
    if (token === undefined || clock.now() - token.at > renewAfterMs) {
      token = { text: askForToken(base, credentials), at: clock.now() };
    }
    return token.text;
  };
  const call = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    const headers = {
      authorization: `Bearer ${await currentToken()}`,
      'content-type': 'application/fhir+json',
    };
    return succeeded(await fetch(`${base}/fhir/R4${path}`, { ...init, headers }));
  };
  return {
    async search<T extends Resource>(query: string) {
      const bundle = (await call(`/${query}`)) as Bundle;
      return (bundle.entry ?? []).map(({ resource }) => resource as T);
    },
    async transact(bundle) {
      await call('', { method: 'POST', body: JSON.stringify(bundle) });
    },
  };
}

/** https://www.rfc-editor.org/rfc/rfc6749#section-4.4 */
async function askForToken(base: string, credentials: string): Promise<string> {
  const { clientId, clientSecret } = JSON.parse(readFileSync(credentials, 'utf8')) as Record<string, string>;
  const answer = await fetch(`${base}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  return ((await succeeded(answer)) as { readonly access_token: string }).access_token;
}

async function succeeded(answer: Response): Promise<unknown> {
  if (!answer.ok) throw new Error(`${new URL(answer.url).pathname} was answered with ${answer.status}`);
  return answer.json();
}
