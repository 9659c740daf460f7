// The running engine as commands reach it: over its admin API, signed in as the administrator of the data folder or of the settings.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { failures, type FailureCode } from '../../kernel/failures.ts';
import { Refusal, unavailable } from '../../kernel/outcomes.ts';
import type { Config } from '../read-config.ts';
import { runningUrl } from '../running.ts';

export interface EngineClient {
  /** A path below `/admin/`, and what it answers as JSON. Throws Refusal as the engine refuses, `unavailable` where none answers. */
  ask<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** The same for what is no JSON. */
  read(path: string): Promise<string>;
}

interface Credentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

const answerLimitMs = 60_000;

/** Signs in. `url`: the engine's address; undefined: the one that runs over the data folder. */
export async function reachEngine(config: Config, url = runningUrl(config)): Promise<EngineClient> {
  const base = url.replace(/\/+$/, '');
  const authorization = `Bearer ${await signIn(base, credentialsOf(config))}`;
  const call = async (method: string, path: string, body?: unknown): Promise<string> => {
    const response = await request(`${base}/admin/${path}`, {
      method,
      headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.ok) return text;
    throw refusalOf(response.status, text);
  };
  return {
    ask: async <T>(method: string, path: string, body?: unknown) =>
      JSON.parse((await call(method, path, body)) || '{}') as T,
    read: (path) => call('GET', path),
  };
}

/** Those of the settings, or those that the engine made for itself. */
function credentialsOf({ adminClientId, adminClientSecret, data }: Config): Credentials {
  if (adminClientId !== undefined && adminClientSecret !== undefined) {
    return { clientId: adminClientId, clientSecret: adminClientSecret };
  }
  const file = join(data, 'administrator.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Credentials;
  throw unavailable(
    `there are no credentials at ${file}: set KIUNGO_DATA, or KIUNGO_ADMIN_CLIENT_ID and KIUNGO_ADMIN_CLIENT_SECRET`,
  );
}

// https://datatracker.ietf.org/doc/html/rfc6749#section-4.4
async function signIn(base: string, { clientId, clientSecret }: Credentials): Promise<string> {
  const pair = [clientId, clientSecret].map(encodeURIComponent).join(':');
  const response = await request(`${base}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const { access_token: token } = (await response.json().catch(() => ({}))) as { access_token?: string };
  if (token !== undefined) return token;
  throw new Refusal('unauthorized', `${base} does not take these credentials (status ${response.status})`);
}

async function request(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(answerLimitMs) });
  } catch (cause) {
    const refusal = unavailable(
      `no engine answers at ${new URL(url).origin}: start it, or name one with --url`,
    );
    throw Object.assign(refusal, { cause });
  }
}

/** What an OperationOutcome says, as a Refusal of ours. */
function refusalOf(status: number, text: string): Refusal {
  const { code, diagnostics } = issueOf(text);
  const known = Object.hasOwn(failures, code) ? (code as FailureCode) : 'unavailable';
  return new Refusal(known, diagnostics ?? `the engine answers with status ${status}`);
}

interface Issue {
  readonly details?: { readonly coding?: readonly { readonly code?: string }[] };
  readonly diagnostics?: string;
}

function issueOf(text: string): { readonly code: string; readonly diagnostics?: string } {
  try {
    const { issue = [] } = JSON.parse(text) as { readonly issue?: readonly Issue[] };
    const { details, diagnostics } = issue[0] ?? {};
    const code = details?.coding?.[0]?.code ?? '';
    return diagnostics === undefined ? { code } : { code, diagnostics };
  } catch {
    return { code: '' };
  }
}
