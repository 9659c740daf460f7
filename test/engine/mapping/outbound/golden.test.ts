// Golden pairs: each resource makes exactly the message that lies beside it. KIUNGO_WRITE_GOLDEN=1 writes them anew, to be reviewed.
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse, shippedMapper } from '../../../support/maps.ts';
import { expectedFile, outboundCase, outboundNames, textOf } from '../../../support/outbound.ts';

const mapper = await shippedMapper();
const written = process.env['KIUNGO_WRITE_GOLDEN'] === '1';

describe('messages that go out', () => {
  test.each(outboundNames)('%s', async (name) => {
    const made = (await textOf(mapper, outboundCase(name))).replaceAll('\r', '\n');
    if (written) writeFileSync(expectedFile(name), made);
    expect(made).toBe(readFileSync(expectedFile(name), 'utf8'));
  });

  test.each(outboundNames)(
    '%s is told again with the same text, and is read by our own parser',
    async (name) => {
      const text = await textOf(mapper, outboundCase(name));
      expect(await textOf(mapper, outboundCase(name))).toBe(text);
      expect(parse(text).type).toMatch(/^(OML\^O\d\d|ORM\^O01|ORU\^R01|ADT\^A\d\d|SIU\^S\d\d)$/);
    },
  );

  test('each has a control id of its own', async () => {
    const texts = await Promise.all(outboundNames.map((name) => textOf(mapper, outboundCase(name))));
    const ids = texts.map((text) => parse(text).segments[0]?.text(10));
    expect(new Set(ids).size).toBe(outboundNames.length);
  });
});
