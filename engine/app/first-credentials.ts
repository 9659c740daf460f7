// The first administrator's credentials and the engine's own keys: made once, kept in files that only the owner can read.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixedDirectory, type ClientDirectory, type UserDirectory } from '../auth/directory.ts';
import { hashPassword, hashSecret } from '../auth/secrets.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Config } from './read-config.ts';

export interface FirstCredentials {
  /** Where they lie. */
  readonly file: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly userName: string;
  readonly password: string;
}

interface Keys {
  /** Signs access tokens and sessions, base64url of 32 bytes. */
  readonly token: string;
  /** Encrypts the credentials inside flows. */
  readonly flows: string;
}

/** Reads the administrator's credentials, or makes them on the first start. A client named in the settings wins. */
export function firstCredentials(config: Config, ids: Ids): FirstCredentials {
  const file = join(config.data, 'administrator.json');
  const made = readOrMake(file, () => ({
    clientId: config.adminClientId ?? 'admin',
    clientSecret: config.adminClientSecret ?? ids.secret(32),
    userName: 'admin',
    password: ids.secret(18),
  }));
  const client =
    config.adminClientId === undefined || config.adminClientSecret === undefined
      ? {}
      : { clientId: config.adminClientId, clientSecret: config.adminClientSecret };
  return { ...made, ...client, file };
}

/** The first administrator as the sign-in knows it: a client and a user, who may do everything. */
export async function administrator(
  { clientId, clientSecret, userName, password }: FirstCredentials,
  ids: Ids,
): Promise<{ readonly clients: ClientDirectory; readonly users: UserDirectory }> {
  const scopes = ['system/*.cruds', 'admin'];
  const client = { id: clientId, secretHash: hashSecret(clientSecret), scopes };
  const user = { name: userName, passwordHash: await hashPassword(password, ids.secret(16)), scopes };
  const directory = fixedDirectory([client], [user]);
  return { clients: directory, users: directory };
}

export function keysOf(config: Config, ids: Ids): Keys {
  return readOrMake(join(config.data, 'keys.json'), () => ({ token: ids.secret(32), flows: ids.secret(32) }));
}

/** The content of a file of mode 0600, written once; two engines starting at once agree on the one that was written first. */
function readOrMake<T extends object>(file: string, make: () => T): T {
  try {
    writeFileSync(file, `${JSON.stringify(make(), null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

export function createDataFolder(config: Config): void {
  mkdirSync(config.data, { recursive: true, mode: 0o700 });
}
