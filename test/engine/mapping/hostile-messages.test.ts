// Messages that are larger in one place than any message is: the time that they take grows with their size, and no faster.
import { expect, test } from '@jest/globals';
import { context, mapMessage, shippedMapper } from '../../support/maps.ts';

const mapper = await shippedMapper();
const admission = (numbers: number): Buffer =>
  Buffer.from(
    'MSH|^~\\&|LAB|H|||20260102030405||ADT^A01|c1|P|2.5.1\r' +
      `PID|1||${Array.from({ length: numbers }, (_, place) => `${place}^^^X^MR`).join('~')}||A^B||20010203|F\r` +
      'PV1|1|I\r',
  );

test('a patient of three thousand numbers, and where each of them went', () => {
  const began = performance.now();
  const { trace } = mapMessage(mapper, admission(3000), {}, context);
  expect(trace.some(({ to }) => to.startsWith('Patient[0].identifier[2999].value'))).toBe(true);
  expect(performance.now() - began).toBeLessThan(3000);
});
