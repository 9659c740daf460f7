// One SSH connection to an SFTP server, made when it is first wanted and again when it is lost. The server is known by its host key and by
// nothing else. https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Client, ConnectConfig, SFTPWrapper } from 'ssh2';
import { Refusal } from '../../engine/index.ts';
import { causeOf, SftpFailure } from './failure.ts';
import { RemoteFiles } from './remote-files.ts';

export interface SftpPlace {
  readonly host: string;
  /** 22 unless told. */
  readonly port?: number;
  readonly user: string;
  /** Asked at each connection: a secret may change. */
  readonly credentials: () => Credentials;
  /** `SHA256:…` of the keys that the server may show, as `ssh-keygen -lf` prints them. */
  readonly hostKeys: readonly string[];
  /** Until the server has let us in. Default 20 s. */
  readonly connectTimeoutMs?: number;
  /** For each request to the server. Default 30 s. */
  readonly answerTimeoutMs?: number;
}

export interface Credentials {
  readonly password?: string;
  /** PEM or OpenSSH. */
  readonly privateKey?: string;
  readonly passphrase?: string;
}

/** A connection that nobody uses is kept alive by a question every so often, and given up after three that stay unanswered. */
const keepAliveMs = 15_000;

export class SftpSession {
  readonly #place: SftpPlace;
  #files: Promise<RemoteFiles> | undefined;
  #client: Client | undefined;

  constructor(place: SftpPlace) {
    this.#place = place;
  }

  /** Throws SftpFailure. */
  files(): Promise<RemoteFiles> {
    this.#files ??= this.#connect().catch((error: unknown) => {
      this.#forget();
      throw error;
    });
    return this.#files;
  }

  close(): void {
    this.#client?.end();
    this.#forget();
  }

  #forget(): void {
    this.#files = undefined;
    this.#client = undefined;
  }

  async #connect(): Promise<RemoteFiles> {
    const settings = settingsOf(this.#place);
    // Only who speaks SFTP pays for it.
    const { Client: SshClient } = (await import('ssh2')).default;
    const client = new SshClient();
    this.#client = client;
    client.once('close', () => {
      if (this.#client === client) this.#forget();
    });
    const wrapper = await opened(client, settings);
    return new RemoteFiles(wrapper, this.#place.answerTimeoutMs ?? 30_000, () => client.destroy());
  }
}

/** What a connection is made with, and what became of the server's key. */
interface Settings {
  readonly connect: ConnectConfig;
  readonly isStranger: () => boolean;
}

function settingsOf({ host, port = 22, user, credentials, hostKeys, connectTimeoutMs }: SftpPlace): Settings {
  let isStranger = false;
  const connect: ConnectConfig = {
    host,
    port,
    username: user,
    readyTimeout: connectTimeoutMs ?? 20_000,
    keepaliveInterval: keepAliveMs,
    hostVerifier: (key: Buffer) => {
      isStranger = !hostKeys.some((known) => isSame(known, fingerprintOf(key)));
      return !isStranger;
    },
    ...credentialsOf(credentials),
  };
  return { connect, isStranger: () => isStranger };
}

function credentialsOf(credentials: SftpPlace['credentials']): Credentials {
  try {
    return credentials();
  } catch (error) {
    if (error instanceof Refusal) throw new SftpFailure('sftp-not-signed-in', error.message);
    throw error;
  }
}

/** As OpenSSH prints it: SHA-256, base64 without padding. */
export const fingerprintOf = (key: Uint8Array): string =>
  `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;

function isSame(known: string, shown: string): boolean {
  const [one, other] = [Buffer.from(known), Buffer.from(shown)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function opened(client: Client, { connect, isStranger }: Settings): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => {
    const fail = (error?: Error): void => {
      client.destroy();
      reject(isStranger() ? new SftpFailure('sftp-host-key') : connectFailure(error));
    };
    // It goes on listening: an error of a connection that was ready is followed by its end.
    client.on('error', fail);
    client.once('close', () => fail());
    client.once('ready', () => {
      client.setNoDelay(true);
      client.sftp((error, wrapper) => {
        if (error) fail(error);
        else resolve(wrapper);
      });
    });
    try {
      client.connect(connect);
    } catch (error) {
      // A private key that cannot be read, or a cipher that is not known.
      reject(new SftpFailure('sftp-not-signed-in', causeOf(error)));
    }
  });
}

function connectFailure(error: (Error & { readonly level?: string }) | undefined): SftpFailure {
  const code = error?.level === 'client-authentication' ? 'sftp-not-signed-in' : 'sftp-no-connection';
  return new SftpFailure(code, causeOf(error));
}
