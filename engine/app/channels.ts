// Gives channels their sources and senders: which adapter a kind of source or target means, and where its files lie.
import { join } from 'node:path';
import { createFileDrop } from '../../adapters/file/file-drop.ts';
import { createFolderWatch } from '../../adapters/file/folder-watch.ts';
import { createMllpListener } from '../../adapters/hl7/listener.ts';
import { createMllpSender } from '../../adapters/hl7/sender.ts';
import { createHttpSender } from '../../adapters/http/sender.ts';
import { createSftpDrop } from '../../adapters/sftp/sftp-drop.ts';
import { createSftpWatch } from '../../adapters/sftp/sftp-watch.ts';
import type { Credentials, SftpPlace as SftpConnection } from '../../adapters/sftp/session.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { ChannelSource } from '../messages/channels/channel-runner.ts';
import type {
  ChannelDefinition,
  DestinationDefinition,
  Source,
  SftpPlace,
  Target,
} from '../messages/channels/channel.ts';
import type { Inbox, Sender } from '../messages/ports.ts';
import { below, tlsOf, withSecrets } from './channel-material.ts';
import type { Config } from './read-config.ts';

interface Parts {
  readonly config: Config;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
}

/** The channel that the settings make: what comes in on KIUNGO_MLLP_PORT. */
export const channelOfSettings = ({ bind, mllpPort, mllpAllow }: Config): ChannelDefinition => ({
  name: 'hl7',
  title: 'HL7 v2 over MLLP, as the settings say',
  source: {
    kind: 'mllp',
    port: mllpPort,
    bind,
    ...(mllpAllow === undefined ? {} : { allow: mllpAllow }),
  },
});

export function sourceMaker(
  parts: Parts & { readonly inbox: Inbox },
): (channel: ChannelDefinition) => ChannelSource {
  return ({ name, source }) => sourceOf(name, source, parts);
}

function sourceOf(channel: string, source: Source, parts: Parts & { readonly inbox: Inbox }): ChannelSource {
  const { config, clock, ids, inbox } = parts;
  const logger = parts.logger.child({ channel });
  const { charset = config.mllpCharset } = source;
  switch (source.kind) {
    case 'http':
      return { start: async () => ({}), stop: async () => undefined };
    case 'file':
      return createFolderWatch({
        ...{ inbox, channel, charset, logger },
        folder: below(join(config.data, 'inbox'), source.folder),
        mediaType: source.format ?? 'application/hl7-v2',
        endings: source.endings ?? ['.hl7', '.txt', '.dat'],
        everyMs: (source.everySeconds ?? 2) * 1000,
        maxBytes: config.maxMessageBytes,
      });
    case 'sftp':
      return createSftpWatch({
        ...sftpOf(source, config),
        ...{ inbox, channel, charset, logger, folder: source.folder },
        mediaType: source.format ?? 'application/hl7-v2',
        endings: source.endings ?? ['.hl7', '.txt', '.dat'],
        everyMs: (source.everySeconds ?? 30) * 1000,
        maxBytes: config.maxMessageBytes,
        complete: source.complete ?? 'unchanged',
        afterwards: source.afterwards ?? 'move',
        answers: source.answers ?? false,
      });
    case 'mllp': {
      const {
        port,
        bind: host = config.bind,
        allow,
        maxConnections,
        idleSeconds,
        requireEndOfData,
        tls,
      } = source;
      return createMllpListener({
        ...{ inbox, channel, charset, logger, clock, ids, host, port },
        maxFrameBytes: config.maxMessageBytes,
        ...(allow === undefined ? {} : { allow }),
        ...(maxConnections === undefined ? {} : { maxConnections }),
        ...(idleSeconds === undefined ? {} : { idleTimeoutMs: idleSeconds * 1000 }),
        ...(requireEndOfData === undefined ? {} : { requireEndOfData }),
        ...(tls === undefined ? {} : { tls: tlsOf(tls, config), ...(tls.names ? { names: tls.names } : {}) }),
      });
    }
  }
}

export function senderMaker(
  parts: Parts,
): (channel: ChannelDefinition, destination: DestinationDefinition) => Sender {
  return (channel, { name, to }) =>
    senderOf(to, { ...parts, logger: parts.logger.child({ channel: channel.name, destination: name }) });
}

function senderOf(to: Target, { config, logger }: Parts): Sender {
  switch (to.kind) {
    case 'file':
      return createFileDrop(below(join(config.data, 'outbox'), to.folder));
    case 'sftp':
      return createSftpDrop({ ...sftpOf(to, config), folder: to.folder });
    case 'http': {
      const { url, method, headers = {}, answerSeconds } = to;
      return createHttpSender({
        url,
        headers: () =>
          Object.fromEntries(Object.entries(headers).map(([key, text]) => [key, withSecrets(text, config)])),
        ...(method === undefined ? {} : { method }),
        ...(answerSeconds === undefined ? {} : { answerTimeoutMs: answerSeconds * 1000 }),
      });
    }
    case 'mllp': {
      const { host, port, charset, until, connectSeconds, answerSeconds, tls } = to;
      return createMllpSender({
        ...{ host, port, logger, random: Math.random },
        ...(charset === undefined ? {} : { charset }),
        ...(until === undefined ? {} : { until }),
        ...(connectSeconds === undefined ? {} : { connectTimeoutMs: connectSeconds * 1000 }),
        ...(answerSeconds === undefined ? {} : { answerTimeoutMs: answerSeconds * 1000 }),
        ...(tls === undefined ? {} : { tls: tlsOf(tls, config) }),
      });
    }
  }
}

function sftpOf(place: SftpPlace, config: Config): SftpConnection {
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
