// An SFTP server over a folder, as a partner would run it: `node adapters/sftp/simulator/sftp-server.ts <folder> [port]`. For tests and trials.
import { mkdirSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import ssh2, { type AuthContext, type Connection } from 'ssh2';
import { fingerprintOf } from '../session.ts';
import { answerFileRequests } from './file-requests.ts';

export interface SftpServerOptions {
  /** Made when absent. */
  readonly folder: string;
  /** 0 takes a free one; that is the default. */
  readonly port?: number;
  readonly user: string;
  readonly password?: string;
  /** In OpenSSH's form, of the key that may sign in. */
  readonly publicKey?: string;
  /** The server's own, private; a new one unless told. */
  readonly hostKey?: string;
  /** Called before each request with its name: what it throws breaks the connection. */
  readonly onRequest?: (name: string) => void;
}

export interface SftpServer {
  start(): Promise<{ readonly port: number; readonly hostKey: string }>;
  stop(): Promise<void>;
  /** Connections made so far. */
  connections(): number;
}

export function createSftpServer(options: SftpServerOptions): SftpServer {
  mkdirSync(options.folder, { recursive: true });
  // An ed25519 key that ssh2 makes is, once in some hundred, one that it cannot read.
  const privateKey = options.hostKey ?? ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }).private;
  const open = new Set<Connection>();
  let made = 0;
  const ssh = new ssh2.Server({ hostKeys: [privateKey] }, (client) => {
    made += 1;
    open.add(client);
    client.on('error', () => client.end());
    client.on('close', () => open.delete(client));
    client.on('authentication', (context) =>
      mayEnter(context, options) ? context.accept() : context.reject(['password', 'publickey']),
    );
    client.on('session', (accept) => {
      accept().on('sftp', (acceptSftp) =>
        answerFileRequests(acceptSftp(), {
          real: (path) => join(options.folder, normalize(join('/', path))),
          onRequest: options.onRequest ?? (() => undefined),
          breakOff: () => client.end(),
        }),
      );
    });
  });
  const server = createServer({ noDelay: true }, (socket) => ssh.injectSocket(socket));
  return {
    start: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(options.port ?? 0, '127.0.0.1', () =>
          resolve({ port: (server.address() as AddressInfo).port, hostKey: fingerprintOfKey(privateKey) }),
        );
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const client of open) client.end();
      }),
    connections: () => made,
  };
}

function fingerprintOfKey(privateKey: string): string {
  const key = ssh2.utils.parseKey(privateKey);
  if (key instanceof Error) throw key;
  return fingerprintOf(key.getPublicSSH());
}

function mayEnter(context: AuthContext, { user, password, publicKey }: SftpServerOptions): boolean {
  if (context.username !== user) return false;
  if (context.method === 'password') return password !== undefined && context.password === password;
  if (context.method !== 'publickey' || publicKey === undefined) return false;
  const known = ssh2.utils.parseKey(publicKey);
  if (known instanceof Error || !known.getPublicSSH().equals(context.key.data)) return false;
  const { blob, signature, hashAlgo } = context;
  if (blob === undefined || signature === undefined) return true;
  return known.verify(blob, signature, hashAlgo);
}

if (import.meta.main) {
  const [folder = 'sftp', port = '2222'] = process.argv.slice(2);
  const server = createSftpServer({ folder, port: Number(port), user: 'kiungo', password: 'kiungo' });
  const place = await server.start();
  process.stdout.write(
    `SFTP on 127.0.0.1:${place.port} over ${folder}\nuser kiungo, password kiungo, host key ${place.hostKey}\n`,
  );
}
