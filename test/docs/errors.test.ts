// docs/errors.md explains every code that the sources give, and no other; its columns say what the tables of the sources say.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { hl7Format } from '../../adapters/hl7/format.ts';
import { failures, type FailureCode } from '../../engine/kernel/failures.ts';
import { codesInSources } from '../support/codes-in-sources.ts';

/** The rows of all tables whose first column is `code`, by section. */
function explained(page: string): readonly { section: string; cells: readonly string[] }[] {
  let section = '';
  return page.split('\n').flatMap((line) => {
    if (line.startsWith('## ')) section = line.slice(3);
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    const code = /^`([a-z0-9_-]+)`$/.exec(cells[1] ?? '')?.[1];
    return code === undefined ? [] : [{ section, cells: [code, ...cells.slice(2, -1)] }];
  });
}

const rows = explained(readFileSync('docs/errors.md', 'utf8'));
const pageCodes = rows.map(({ cells: [code] }) => code ?? '');

describe('docs/errors.md', () => {
  const sources = codesInSources();

  test('explains every code that the sources and the maps give', () => {
    const missing = [...sources].filter(([code]) => !pageCodes.includes(code));
    expect(missing).toEqual([]);
  });

  test('explains no code that nothing gives, and none twice', () => {
    expect(pageCodes.filter((code) => !sources.has(code))).toEqual([]);
    expect(pageCodes).toEqual([...new Set(pageCodes)]);
  });

  test('says of each what it means and what to do', () => {
    const silent = rows.filter(({ cells }) => cells.slice(-2).some((cell) => !/^[A-Z`<].*\.$/.test(cell)));
    expect(silent).toEqual([]);
  });

  test.each(Object.keys(failures) as FailureCode[])('shows what follows from %s', (code) => {
    const { http, issue, acknowledgement, retry } = failures[code];
    const row = rows.find(({ section, cells }) => section === 'Failures' && cells[0] === code);
    expect(row?.cells.slice(1, 5)).toEqual([String(http), issue, acknowledgement, retry]);
  });

  const numbered = rows.filter(({ section, cells }) => section === 'Reading HL7 v2' && cells[1] !== '');
  test.each(numbered.map(({ cells: [code = '', number = ''] }) => [code, number] as const))(
    'shows the number that %s has in an acknowledgement',
    (code, number) => {
      const raw = Buffer.from('MSH|^~\\&|A|B|C|D|20260105||ORU^R01|1|P|2.5.1\r');
      const reason = { code, text: 'why' };
      const answer = hl7Format.renderAcknowledgement(raw, { code: 'AR', reason }, 0, '2');
      expect(Buffer.from(answer).toString()).toContain(`|${number}^`);
    },
  );
});
