// What channels name and what lies in the data folder: folders, certificates and secrets.
import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Credentials, SftpPlace as SftpConnection } from '../../adapters/sftp/session.ts';
import { badRequest } from '../kernel/outcomes.ts';
import type { SftpPlace, TlsFiles } from '../messages/channels/channel.ts';
import type { Config } from './read-config.ts';

export interface TlsMaterial {
  readonly key?: Buffer;
  readonly cert?: Buffer;
  readonly ca?: Buffer;
  readonly requestCert: boolean;
  readonly rejectUnauthorized: true;
}

export const below = (folder: string, path: string): string => (isAbsolute(path) ? path : join(folder, path));

/** With an authority the other side must show a certificate that it vouches for. */
export function readTls({ key, certificate, authority }: TlsFiles, config: Config): TlsMaterial {
  const read = (path: string): Buffer => readFileSync(below(config.data, path));
  return {
    ...(key === undefined ? {} : { key: read(key) }),
    ...(certificate === undefined ? {} : { cert: read(certificate) }),
    ...(authority === undefined ? {} : { ca: read(authority) }),
    requestCert: authority !== undefined,
    rejectUnauthorized: true,
  };
}

/** `{secret:name}` becomes the content of the file `secrets/name` in the data folder, so that no secret stands in a channel. */
export function withSecrets(text: string, config: Config): string {
  return text.replace(/\{secret:([A-Za-z0-9_-]{1,64})\}/g, (_whole, name: string) => {
    const file = join(config.data, 'secrets', name);
    try {
      return readFileSync(file, 'utf8').trim();
    } catch {
      throw badRequest(`the secret ${name} is missing: put it in the file ${file}`);
    }
  });
}

export function sftpOf(place: SftpPlace, config: Config): SftpConnection {
  const { host, port, user, hostKey, connectSeconds, answerSeconds } = place;
  return {
    ...{ host, user },
    hostKeys: typeof hostKey === 'string' ? [hostKey] : hostKey,
    credentials: () => secretsOf(place, config),
    ...(port === undefined ? {} : { port }),
    ...(connectSeconds === undefined ? {} : { connectTimeoutMs: connectSeconds * 1000 }),
    ...(answerSeconds === undefined ? {} : { answerTimeoutMs: answerSeconds * 1000 }),
  };
}

const secretsOf = ({ password, privateKey, passphrase }: SftpPlace, config: Config): Credentials =>
  Object.fromEntries(
    Object.entries({ password, privateKey, passphrase }).flatMap(([name, text]) =>
      text === undefined ? [] : [[name, withSecrets(text, config)]],
    ),
  );
