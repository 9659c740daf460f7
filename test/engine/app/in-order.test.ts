// Parts are started in the order of their list, and stopped the other way round, whatever fails.
import { describe, expect, test } from '@jest/globals';
import { inOrder, type Part } from '../../../engine/app/in-order.ts';
import { silentLogger } from '../../../engine/kernel/logger.ts';

interface Case {
  readonly rule: string;
  /** Each `name`, `name:start` or `name:stop`; with `!` it fails. */
  readonly parts: readonly string[];
  readonly did: string;
  readonly startFails?: string;
  readonly stopFails?: string;
}

const cases: readonly Case[] = [
  { rule: 'stops in reverse', parts: ['store', 'http'], did: '+store +http | -http -store' },
  {
    rule: 'a part that stands twice stops where it says',
    parts: ['outbox:stop', 'http', 'outbox:start'],
    did: '+http +outbox | -http -outbox',
  },
  {
    rule: 'when one cannot start, it and those before it stop, and later ones are left alone',
    parts: ['store', '!http:start', 'channels'],
    did: '+store +http -http -store |',
    startFails: 'http',
  },
  {
    rule: 'one that cannot be stopped does not keep the others',
    parts: ['store', '!http:stop', 'channels'],
    did: '+store +http +channels | -channels -http -store',
    stopFails: 'http',
  },
  {
    rule: 'the error that a person sees is that of the start',
    parts: ['!store:stop', '!http:start'],
    did: '+store +http -http -store |',
    startFails: 'http',
  },
];

function partsOf(texts: readonly string[], done: string[]): readonly Part[] {
  return texts.map((text) => {
    const [, fails, name = '', only] = /^(!?)(\w+):?(\w*)$/.exec(text) ?? [];
    const act = (sign: string, what: string) => async (): Promise<void> => {
      await Promise.resolve();
      done.push(`${sign}${name}`);
      if (fails === '!' && only === what) throw new Error(name);
    };
    const isHalf = only !== '' && fails === '';
    return {
      name,
      ...(isHalf && only === 'stop' ? {} : { start: act('+', 'start') }),
      ...(isHalf && only === 'start' ? {} : { stop: act('-', 'stop') }),
    };
  });
}

const failureOf = (work: Promise<void>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  );

describe('parts in order', () => {
  test.each(cases)('$rule', async ({ parts, did, startFails, stopFails }) => {
    const done: string[] = [];
    const life = inOrder(partsOf(parts, done), silentLogger);

    const startFailure = await failureOf(life.start());
    done.push('|');
    const stopFailure = await failureOf(life.stop());

    expect(done.join(' ')).toBe(did);
    expect([startFailure, stopFailure]).toEqual([startFails, stopFails]);
  });

  test('what has been stopped is not stopped again', async () => {
    const done: string[] = [];
    const life = inOrder(partsOf(['store'], done), silentLogger);
    await life.start();

    await life.stop();
    await life.stop();

    expect(done).toEqual(['+store', '-store']);
  });
});
