// Gives channels their sources and senders: which adapter a kind of source or target means, and where its files lie.
import { join } from 'node:path';
import { createFileDrop } from '../../adapters/file/file-drop.ts';
import { createFolderWatch } from '../../adapters/file/folder-watch.ts';
import { createMllpListener } from '../../adapters/hl7/listener.ts';
import { createMllpSender } from '../../adapters/hl7/sender.ts';
import { createHttpSender } from '../../adapters/http/sender.ts';
import { createTimer, isTimerPeer } from '../../adapters/timer/timer.ts';
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
import { readSchedule } from '../jobs/schedule.ts';
import type { Inbox, Sender } from '../messages/ports.ts';
import type { MessageReader } from '../storage/message-store.ts';
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

interface SourceParts extends Parts {
  readonly inbox: Inbox;
  readonly messages: Pick<MessageReader, 'messages'>;
}

export function sourceMaker(parts: SourceParts): (channel: ChannelDefinition) => ChannelSource {
  return ({ name, source }) => sourceOf(name, source, parts);
}

function sourceOf(channel: string, source: Source, parts: SourceParts): ChannelSource {
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
    case 'timer': {
      const { cron, everySeconds = 60, body, format: mediaType = 'application/hl7-v2' } = source;
      const { timeZone } = config;
      return createTimer({
        ...{ inbox, channel, charset, logger, clock, body, mediaType, timeZone },
        schedule: readSchedule(cron === undefined ? { everySeconds } : { cron }, timeZone),
        lastPeer: () => newestOfTimer(channel, parts.messages),
      });
    }
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

/** Among the newest: people may have sent others into its channel by hand. */
async function newestOfTimer(
  channel: string,
  messages: SourceParts['messages'],
): Promise<string | undefined> {
  const { items } = await messages.messages({ channel, limit: 100, offset: 0 });
  return items.find(({ peer }) => isTimerPeer(peer))?.peer;
}

export function senderMaker(
  parts: Parts,
): (channel: ChannelDefinition, destination: DestinationDefinition) => Sender {
  return (channel, { name, to, response }) =>
    senderOf(to, response === undefined ? {} : { keptBytes: wholeAnswerBytes }, {
      ...parts,
      logger: parts.logger.child({ channel: channel.name, destination: name }),
    });
}

/** What is taken in as a message has to be whole. */
const wholeAnswerBytes = 4 * 1024 * 1024;

interface AnswerSize {
  readonly keptBytes?: number;
}

function senderOf(to: Target, size: AnswerSize, { config, logger }: Parts): Sender {
  switch (to.kind) {
    case 'file':
      return createFileDrop(below(join(config.data, 'outbox'), to.folder));
    case 'sftp':
      return createSftpDrop({ ...sftpOf(to, config), folder: to.folder });
    case 'http': {
      const { url, method, headers = {}, answerSeconds } = to;
      return createHttpSender({
        ...size,
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
        ...size,
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
