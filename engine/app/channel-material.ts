// What channels name and what lies in the data folder: folders, certificates and secrets.
import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { badRequest } from '../kernel/outcomes.ts';
import type { TlsFiles } from '../messages/channels/channel.ts';
import type { Config } from './read-config.ts';

interface TlsMaterial {
  readonly key?: Buffer;
  readonly cert?: Buffer;
  readonly ca?: Buffer;
  readonly requestCert: boolean;
  readonly rejectUnauthorized: true;
}

export const below = (folder: string, path: string): string => (isAbsolute(path) ? path : join(folder, path));

/** With an authority the other side must show a certificate that it vouches for. */
export function tlsOf({ key, certificate, authority }: TlsFiles, config: Config): TlsMaterial {
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
