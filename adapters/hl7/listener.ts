// The MLLP port: takes connections, and hands each to a conversation. Plain TCP, or TLS with the peer's certificate asked for.
import { BlockList, createServer, isIP, type AddressInfo, type Server, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  Server as TlsServer,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls';
import type { Clock, Ids, Inbox, Logger } from '../../engine/index.ts';
import { isKnownCharset } from './charset.ts';
import { Conversation } from './conversation.ts';

export interface MllpListenerOptions {
  readonly inbox: Inbox;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Name of the channel that messages arrive on. */
  readonly channel: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** What to read messages in that do not say. Default: UTF-8, and windows-1252 where that fails. */
  readonly charset?: string;
  /** Larger messages are answered AR and the connection is closed. Default 64 MiB. */
  readonly maxFrameBytes?: number;
  /** Only FS CR ends a message. Default false: FS alone does. */
  readonly requireEndOfData?: boolean;
  /** Connections beyond it are closed at once. Default 500. */
  readonly maxConnections?: number;
  /** Connections from one address beyond it are closed at once. Default 100. */
  readonly maxConnectionsOfPeer?: number;
  /**
   * What has come of messages that have not ended, of all connections. Beyond it the connection that holds most is told to send again, and
   * closed. Default 256 MiB, or four times the largest message.
   */
  readonly maxUnfinishedBytes?: number;
  /** Messages of one connection that are being kept at the same time; more wait in the network. Default 16. */
  readonly maxInFlight?: number;
  /** Closes a connection that has been silent for so long between messages. Default: never, since analysers keep theirs for days. */
  readonly idleTimeoutMs?: number;
  /** Closes a connection that stopped within a message. Default 60 s. */
  readonly stalledTimeoutMs?: number;
  /** Silence after which TCP asks whether the peer is still there. Default 30 s. */
  readonly keepAliveMs?: number;
  /** Closes a connection whose peer does not take its answers. Default 30 s. */
  readonly writeTimeoutMs?: number;
  /** How long `stop` waits for what is under way. Default 10 s. */
  readonly drainTimeoutMs?: number;
  /** Addresses (`10.0.0.7`) and networks (`10.0.0.0/24`) that may connect. Default: any. */
  readonly allow?: readonly string[];
  /** Certificates and keys; with `requestCert` the peer must show one. Default: plain TCP. */
  readonly tls?: TlsOptions;
  /** Common names of the certificates that may connect. Default: any that `tls.ca` vouches for. */
  readonly names?: readonly string[];
}

export interface MllpListener {
  /** Rejects when the port cannot be had. */
  start(): Promise<{ readonly port: number }>;
  /** Takes nothing more in, answers what was received, then closes. Safe to call twice. */
  stop(): Promise<void>;
  /** How many are open. */
  connections(): number;
  /** New connections are made with this; those that are open stay as they are. Throws when it cannot be used: the one before stays. */
  renewTls(tls: TlsOptions): void;
}

const defaults = {
  maxFrameBytes: 64 * 1024 * 1024,
  maxConnections: 500,
  maxConnectionsOfPeer: 100,
  maxUnfinishedBytes: 256 * 1024 * 1024,
  maxInFlight: 16,
  stalledTimeoutMs: 60_000,
  keepAliveMs: 30_000,
  writeTimeoutMs: 30_000,
  drainTimeoutMs: 10_000,
  handshakeTimeoutMs: 10_000,
} as const;

/** Throws for a charset that is not known or an entry of `allow` that is no address. */
export function createMllpListener(options: MllpListenerOptions): MllpListener {
  const { logger, charset } = options;
  if (charset !== undefined && !isKnownCharset(charset)) throw new Error(`charset ${charset} is not known`);
  const conversations = new Set<Conversation>();
  /** All connections, those within their handshake too. */
  const open = new Set<Socket>();
  const isAllowed = allowed(options.allow);
  const server = serverOf(options);

  const refuse = (socket: Socket, cause: string): void => {
    logger.warn({ channel: options.channel, peer: socket.remoteAddress, cause }, 'refused a connection');
    socket.destroy();
  };
  const relieve = (): void => {
    const held = [...conversations].reduce((sum, { unfinished }) => sum + unfinished, 0);
    if (held <= mostUnfinished(options)) return;
    [...conversations].reduce((most, one) => (one.unfinished > most.unfinished ? one : most)).giveUp();
  };
  const isOneTooMany = ({ remoteAddress }: Socket): boolean =>
    [...open].filter((one) => one.remoteAddress === remoteAddress).length >
    (options.maxConnectionsOfPeer ?? defaults.maxConnectionsOfPeer);
  const converse = (socket: Socket): void => {
    const conversation = new Conversation(socket, { ...defaults, ...given(options), tookIn: relieve });
    conversations.add(conversation);
    socket.once('close', () => conversations.delete(conversation));
  };
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (!isAllowed(socket.remoteAddress ?? '')) refuse(socket, 'not on the allow list');
    else if (isOneTooMany(socket)) refuse(socket, 'too many are open from its address');
    else if (options.tls === undefined) converse(socket);
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    if (isNamed(socket, options.names)) converse(socket);
    else refuse(socket, 'the name in its certificate is not one of the channel');
  });
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    logger.warn({ channel: options.channel, cause: error.message }, 'a TLS handshake failed');
    socket.destroy();
  });
  server.on('drop', () =>
    logger.warn({ channel: options.channel }, 'refused a connection: too many are open'),
  );

  return {
    start: () => listen(server, options),
    stop: async () => {
      const closed = closing(server);
      await Promise.all([...conversations].map((conversation) => conversation.stop()));
      for (const socket of open) socket.destroy();
      await closed;
    },
    connections: () => conversations.size,
    renewTls: (tls) => {
      if (server instanceof TlsServer) server.setSecureContext(tls);
    },
  };
}

const mostUnfinished = ({ maxUnfinishedBytes, maxFrameBytes }: MllpListenerOptions): number =>
  maxUnfinishedBytes ?? Math.max(defaults.maxUnfinishedBytes, 4 * (maxFrameBytes ?? defaults.maxFrameBytes));

/** The certificate itself was looked at in the handshake. */
const isNamed = (socket: TLSSocket, names: readonly string[] | undefined): boolean =>
  names === undefined ||
  (socket.authorized && names.includes(String(socket.getPeerCertificate().subject.CN)));

/** The options without those that are given as undefined, so that they do not hide the defaults. */
function given(options: MllpListenerOptions): MllpListenerOptions {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as unknown as MllpListenerOptions;
}

function serverOf({ tls, maxConnections, keepAliveMs }: MllpListenerOptions): Server {
  const tcp = {
    // A sender that says it has nothing more to send still gets its answers.
    allowHalfOpen: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveMs ?? defaults.keepAliveMs,
    noDelay: true,
  };
  const server =
    tls === undefined
      ? createServer(tcp)
      : createTlsServer({ handshakeTimeout: defaults.handshakeTimeoutMs, ...tls, ...tcp });
  server.maxConnections = maxConnections ?? defaults.maxConnections;
  return server;
}

function listen(server: Server, { host, port }: MllpListenerOptions): Promise<{ readonly port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve({ port: (server.address() as AddressInfo).port });
    });
  });
}

function closing(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // The error is ERR_SERVER_NOT_RUNNING: closed already.
    server.close(() => resolve());
  });
}

function allowed(entries: readonly string[] | undefined): (address: string) => boolean {
  if (entries === undefined) return () => true;
  const list = new BlockList();
  for (const entry of entries) admit(list, entry);
  return (address) => isIP(address) !== 0 && list.check(address, family(address));
}

function admit(list: BlockList, entry: string): void {
  const [address = '', prefix] = entry.split('/');
  if (isIP(address) === 0) throw new Error(`${entry} is neither an address nor a network`);
  if (prefix === undefined) list.addAddress(address, family(address));
  else list.addSubnet(address, Number(prefix), family(address));
}

const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');
