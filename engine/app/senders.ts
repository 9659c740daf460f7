// Gives the destinations of channels their senders: which adapter a kind of target means, and where its files lie.
import { join } from 'node:path';
import { createFileDrop } from '../../adapters/file/file-drop.ts';
import { createMllpSender } from '../../adapters/hl7/sender.ts';
import { createHttpSender } from '../../adapters/http/sender.ts';
import { createSftpDrop } from '../../adapters/sftp/sftp-drop.ts';
import type { Logger } from '../kernel/logger.ts';
import type { ChannelDefinition, DestinationDefinition, Target } from '../messages/channels/channel.ts';
import { destinationName } from '../messages/channels/compile-channel.ts';
import type { Sender } from '../messages/ports.ts';
import type { Certificates } from './certificates.ts';
import { below, readTls, sftpOf, withSecrets } from './channel-material.ts';
import type { Config } from './read-config.ts';

interface SenderParts {
  readonly config: Config;
  readonly certificates: Certificates;
  readonly logger: Logger;
}

export function senderMaker(
  parts: SenderParts,
): (channel: ChannelDefinition, destination: DestinationDefinition) => Sender {
  return (channel, { name, to, response }) =>
    senderOf(
      destinationName(channel.name, name),
      to,
      response === undefined ? {} : { keptBytes: wholeAnswerBytes },
      {
        ...parts,
        logger: parts.logger.child({ channel: channel.name, destination: name }),
      },
    );
}

/** What is taken in as a message has to be whole. */
const wholeAnswerBytes = 4 * 1024 * 1024;

interface AnswerSize {
  readonly keptBytes?: number;
}

function senderOf(name: string, to: Target, size: AnswerSize, parts: SenderParts): Sender {
  const { config, logger } = parts;
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
      const held = tls && parts.certificates.hold(name, () => readTls(tls, config));
      const sender = createMllpSender({
        ...size,
        ...{ host, port, logger, random: Math.random },
        ...(charset === undefined ? {} : { charset }),
        ...(until === undefined ? {} : { until }),
        ...(connectSeconds === undefined ? {} : { connectTimeoutMs: connectSeconds * 1000 }),
        ...(answerSeconds === undefined ? {} : { answerTimeoutMs: answerSeconds * 1000 }),
        ...(held === undefined ? {} : { tls: held.current }),
      });
      return {
        send: (delivery) => sender.send(delivery),
        close: () => sender.close().finally(() => held?.release()),
      };
    }
  }
}
