// Gives channels their sources: which adapter a kind of source means, and where its files lie.
import { join } from 'node:path';
import { createFolderWatch } from '../../adapters/file/folder-watch.ts';
import { createMllpListener } from '../../adapters/hl7/listener.ts';
import { createTimer } from '../../adapters/timer/timer.ts';
import { createSftpWatch } from '../../adapters/sftp/sftp-watch.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { ChannelSource } from '../messages/channels/channel-runner.ts';
import type { ChannelDefinition, Source } from '../messages/channels/channel.ts';
import { readSchedule } from '../jobs/schedule.ts';
import type { Inbox } from '../messages/ports.ts';
import type { Certificates } from './certificates.ts';
import { below, readTls, sftpOf } from './channel-material.ts';
import type { Config } from './read-config.ts';
import type { timerMemory } from './timer-memory.ts';

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
  readonly certificates: Certificates;
  readonly timers: ReturnType<typeof timerMemory>;
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
        lastPeer: () => parts.timers.lastPeer(channel),
        remember: (peer) => parts.timers.remember(channel, peer),
      });
    }
    case 'mllp': {
      const {
        port,
        bind: host = config.bind,
        allow,
        maxConnections,
        maxConnectionsOfPeer,
        idleSeconds,
        requireEndOfData,
        tls,
      } = source;
      const held = tls && parts.certificates.hold(channel, () => readTls(tls, config));
      const listener = createMllpListener({
        ...{ inbox, channel, charset, logger, clock, ids, host, port },
        maxFrameBytes: config.maxMessageBytes,
        ...(allow === undefined ? {} : { allow }),
        ...(maxConnections === undefined ? {} : { maxConnections }),
        ...(maxConnectionsOfPeer === undefined ? {} : { maxConnectionsOfPeer }),
        ...(idleSeconds === undefined ? {} : { idleTimeoutMs: idleSeconds * 1000 }),
        ...(requireEndOfData === undefined ? {} : { requireEndOfData }),
        ...(held === undefined ? {} : { tls: held.current() }),
        ...(tls?.names === undefined ? {} : { names: tls.names }),
      });
      held?.onRenewed((material) => listener.renewTls(material));
      return { ...listener, stop: () => listener.stop().finally(() => held?.release()) };
    }
  }
}
