// The way of messages: in through the channels, mapped and committed by the processor, and out through the outbox.
import { hl7Format } from '../../adapters/hl7/format.ts';
import type { ReloadableMapper } from '../mapping/create-mapper.ts';
import { createQueryAnswers } from '../messages/answer-query.ts';
import { createChannelBook, type ChannelBook } from '../messages/channels/channel-book.ts';
import { readChannelFiles } from '../messages/channels/channel-files.ts';
import {
  channelPositions,
  createChannelRunner,
  type ChannelRunner,
  type ChannelRunnerOptions,
} from '../messages/channels/channel-runner.ts';
import { createSwitches } from '../messages/channels/switches.ts';
import { fhirFormat } from '../messages/fhir-format.ts';
import { createFormats, type Formats } from '../messages/formats.ts';
import { createInbox, type StoppableInbox } from '../messages/inbox.ts';
import { createOutbox, type Outbox } from '../messages/outbox.ts';
import type { Inbox } from '../messages/ports.ts';
import { createProcessor, type Processor } from '../messages/processor.ts';
import { createResponses } from '../messages/responses.ts';
import type { SettingsOf } from '../messages/stages.ts';
import type { Ambient } from './ambient.ts';
import type { Certificates } from './certificates.ts';
import { channelOfSettings, sourceMaker } from './channels.ts';
import { registerDestinations } from './destinations.ts';
import type { Kept } from './kept.ts';
import type { Config } from './read-config.ts';
import { senderMaker } from './senders.ts';
import { timerMemory } from './timer-memory.ts';

interface MessagesParts {
  readonly config: Config;
  readonly ambient: Ambient;
  readonly kept: Kept;
  readonly mapper: ReloadableMapper;
  readonly certificates: Certificates;
}

export interface Messages {
  readonly formats: Formats;
  readonly book: ChannelBook;
  readonly inbox: StoppableInbox;
  readonly runner: ChannelRunner;
  readonly processor: Processor;
  readonly outbox: Outbox;
  readonly settingsOf: SettingsOf;
}

/** Throws Refusal for files of channels that hold none. */
export function createMessages(parts: MessagesParts): Messages {
  const { config, ambient, mapper } = parts;
  const { store, repository } = parts.kept;
  const formats = createFormats([hl7Format, fhirFormat]);
  const book = createChannelBook({
    ...{ store, clock: ambient.clock },
    ofSettings: [channelOfSettings(config)],
    ofFiles: config.channels === undefined ? [] : readChannelFiles(config.channels),
  });
  // Inbox, outbox, runner and processor know each other in a ring: channels bring their sources to the inbox and their destinations to the
  // outbox, both wake the processor, and all ask the runner how a channel is treated. The ring is closed here, by functions: nothing calls
  // them before all four are made.
  const settingsOf: SettingsOf = (channel) => runner.settingsOf(channel);
  const held = (): readonly string[] => runner.held();
  const wake = (channel?: string): void => processor.wake(channel);
  const listeners = (): ReturnType<Processor['listeners']> => processor.listeners();
  const wakeOutbox = (): void => outbox.wake();

  const way = { ...ambient, repository, formats, mapper, settingsOf };
  const outbox = createOutbox({
    ...{ ...ambient, store },
    responses: createResponses({ ...way, held, listeners, wake: () => wake() }),
  });
  registerDestinations(outbox, { config, logger: ambient.logger });
  const inbox = createInbox({
    ...{ ...ambient, store, formats, settingsOf, wake },
    queries: createQueryAnswers({ ...ambient, mapper, repository, settingsOf, wakeOutbox }),
    admit: (channel) => runner.admit(channel),
  });
  const runner = runnerOf(parts, { book, inbox, outbox, wake: () => wake() });
  const processor = createProcessor({ ...way, held, messages: store.messages });
  return { formats, book, inbox, runner, processor, outbox, settingsOf };
}

function runnerOf(
  { config, ambient, kept, certificates }: MessagesParts,
  own: Pick<ChannelRunnerOptions, 'book' | 'outbox' | 'wake'> & { readonly inbox: Inbox },
): ChannelRunner {
  const { store } = kept;
  const { clock, ids, logger } = ambient;
  const adapters = { config, clock, ids, certificates, logger: logger.child({ part: 'channels' }) };
  const timers = timerMemory(store.jobs, store.messages);
  return createChannelRunner({
    ...{ ...own, messages: store.messages, charset: config.mllpCharset, logger },
    channelSwitches: createSwitches({
      ...{ store, clock, kind: 'channel-position', usual: 'running' },
      known: Object.keys(channelPositions) as (keyof typeof channelPositions)[],
    }),
    destinationSwitches: createSwitches({
      ...{ store, clock, kind: 'destination-position', usual: 'open' },
      known: ['open', 'held'],
    }),
    makeSource: sourceMaker({ ...adapters, inbox: own.inbox, timers }),
    makeSender: senderMaker(adapters),
  });
}
