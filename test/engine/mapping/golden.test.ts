// Golden pairs: each message makes exactly the resources that lie beside it. KIUNGO_WRITE_GOLDEN=1 writes them anew, to be reviewed.
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { context, goldenPairs, mapMessage, shippedMapper } from '../../support/maps.ts';

const mapper = await shippedMapper();
const written = process.env['KIUNGO_WRITE_GOLDEN'] === '1';

describe('golden pairs', () => {
  test.each(goldenPairs())('$name', ({ raw, answers, expectedFile }) => {
    const { bundle, issues } = mapMessage(mapper, raw, answers, context);

    const made = `${JSON.stringify({ issues, bundle }, undefined, 2)}\n`;
    if (written) writeFileSync(expectedFile, made);
    expect(made).toBe(readFileSync(expectedFile, 'utf8'));
  });
});
