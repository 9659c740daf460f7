// Messages as real analysers sent them: each is kept byte for byte, answered once, and known again.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import { describeWithSamples, sharedFile } from '../../support/shared.ts';
import { arrivalOf, openHouse } from './house.ts';

const folder = 'samples/lab/hl7';

describeWithSamples('samples of analysers', () => {
  test('each is kept as it is, owed at most two answers, and kept once when it comes twice', async () => {
    const names = readdirSync(join(resolve(process.env['KIUNGO_SHARED'] ?? '../shared'), folder)).filter(
      (name) => name.endsWith('.hl7'),
    );
    expect(names.length).toBeGreaterThan(0);
    const house = await openHouse();
    const inbox = house.inbox();
    for (const name of names) {
      const raw = sharedFile(`${folder}/${name}`);
      const [first, second] = await Promise.all([
        inbox.receive(arrivalOf(raw, name)),
        inbox.receive(arrivalOf(raw, name)),
      ]);
      expect([name, second.messageId]).toEqual([name, first.messageId]);
      expect(first.answers.length).toBeLessThanOrEqual(2);
      expect(Buffer.from((await house.store.messages.raw(first.messageId))!).equals(raw)).toBe(true);
      const message = (await house.store.messages.message(first.messageId))!;
      expect([name, message.state, message.reason]).toEqual([name, 'received', undefined]);
    }
    expect(await house.messages()).toHaveLength(names.length);
    await house.close();
  });
});
