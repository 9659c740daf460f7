// Which bodies are worked on at once.
import { expect, test } from '@jest/globals';
import { BodyTurns } from '../../../engine/rest/body-turns.ts';

const mebibyte = 2 ** 20;
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Row {
  readonly rule: string;
  /** MiB, in the order in which they come. */
  readonly sizes: readonly number[];
  /** Places in `sizes` of what is begun at once, and after each end of the first that is under way. */
  readonly begun: readonly (readonly number[])[];
}

const rows: readonly Row[] = [
  { rule: 'as many as fit', sizes: [4, 4, 4], begun: [[0, 1], [2]] },
  { rule: 'one that is larger than all that is worked on goes alone', sizes: [30, 2], begun: [[0], [1]] },
  { rule: 'nobody overtakes one that waits', sizes: [6, 6, 2], begun: [[0], [1, 2]] },
  { rule: 'short ones wait for nobody', sizes: [30, 2, 1, 0.1], begun: [[0, 2, 3], [1]] },
  { rule: 'several go on when there is room', sizes: [8, 3, 3, 3], begun: [[0], [1, 2], [3]] },
];

test.each(rows)('$rule', async ({ sizes, begun }) => {
  const turns = new BodyTurns(8 * mebibyte);
  const news: number[] = [];
  const underWay: number[] = [];
  sizes.forEach((size, place) => {
    void turns.begin(size * mebibyte).then((bytes) => {
      news.push(place);
      if (bytes > 0) underWay.push(bytes);
    });
  });
  for (const expected of begun) {
    await settled();
    expect(news.splice(0).toSorted()).toEqual(expected);
    turns.end(underWay.shift() ?? 0);
  }
});
