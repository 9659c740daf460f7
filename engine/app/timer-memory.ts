// When each timer made its last message. The message itself is the record; beside it a row of the job store, since retention may purge all
// messages of a timer that is seldom due.
import { isTimerPeer } from '../../adapters/timer/timer.ts';
import type { JobStore } from '../storage/job-store.ts';
import type { MessageReader } from '../storage/message-store.ts';

interface TimerMemory {
  /** The peer of the newest message that the channel's timer has made; undefined where it has made none. */
  lastPeer(channel: string): Promise<string | undefined>;
  /** After the message is kept: a power cut in between loses nothing. */
  remember(channel: string, peer: string): Promise<void>;
}

const name = 'timer-memory';
const idOf = (channel: string): string => `timer/${channel}`;

/** Among the newest: people may have sent others into its channel by hand. */
const looked = 100;

export function timerMemory(
  jobs: Pick<JobStore, 'jobs' | 'save'>,
  messages: Pick<MessageReader, 'messages'>,
): TimerMemory {
  const ofMessages = async (channel: string): Promise<string | undefined> => {
    const { items } = await messages.messages({ channel, limit: looked, offset: 0 });
    return items.find(({ peer }) => isTimerPeer(peer))?.peer;
  };
  const ofRow = async (channel: string): Promise<string | undefined> => {
    const [row] = await jobs.jobs({ id: idOf(channel) });
    return row && (JSON.parse(row.details) as { readonly peer: string }).peer;
  };
  return {
    lastPeer: async (channel) => {
      const known = [await ofMessages(channel), await ofRow(channel)].filter((peer) => peer !== undefined);
      // They end in the time, written as ISO 8601 has it: the later one is the greater text.
      return known.sort().at(-1);
    },
    remember: async (channel, peer) => {
      await jobs.save({
        ...{ id: idOf(channel), name, type: 'normal', priority: 0, disabled: true },
        ...{ nextRunAt: undefined, lockedAt: undefined, details: JSON.stringify({ peer }) },
      });
    },
  };
}
