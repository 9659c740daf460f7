// A message is checked before it goes: its segments in their order, what must be filled, what must be left empty.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { silentLogger } from '../../../../engine/kernel/logger.ts';
import { createMapper, type ReloadableMapper } from '../../../../engine/mapping/create-mapper.ts';
import { shippedMapper } from '../../../support/maps.ts';
import { outboundCase, textOf } from '../../../support/outbound.ts';

const mapper = await shippedMapper();
const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

async function changedBy(files: Readonly<Record<string, string>>): Promise<ReloadableMapper> {
  const overlays = mkdtempSync(join(tmpdir(), 'kiungo-overlays-'));
  folders.push(overlays);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(overlays, file)), { recursive: true });
    writeFileSync(join(overlays, file), text);
  }
  return createMapper({ folder: resolve('mappings'), overlays, logger: silentLogger });
}

const told = (by: ReloadableMapper, name: string, change: object = {}): Promise<string> => {
  const asked = outboundCase(name);
  return textOf(by, { ...asked, resource: { ...asked.resource, ...change } }).then(
    () => 'told',
    (error: unknown) => (error as Error).message,
  );
};

describe('what is required', () => {
  test.each([
    [
      'OML^O21 of nobody who asked for it',
      'oml-o21-new',
      { requester: undefined },
      'OBR-16 would be empty, and OML_O21 needs it',
    ],
    [
      'OML^O21 without its time',
      'oml-o21-new',
      { authoredOn: undefined },
      'ORC-9 would be empty, and OML_O21 needs it',
    ],
    [
      'OML^O33 without a sample',
      'oml-o33-new',
      { specimen: undefined },
      'the order names no sample that is known here',
    ],
    ['ORM^O01 of nobody who asked for it', 'orm-o01-new', { requester: undefined }, 'told'],
    ['a visit of a class without a code', 'adt-a03-discharge', { class: { code: 'XYZ' } }, 'told'],
  ])('%s', async (_rule, name, change, expected) => {
    expect(await told(mapper, name, change)).toBe(expected);
  });
});

describe('where a facility changes a segment', () => {
  test('what has another place in this message is not sent twice', async () => {
    const changed = await changedBy({
      'priority.yaml': `changes: hl7v2/outbound/segments/OBR-order\nsource: x\nset:\n  fields:\n    27: "'now'"\n`,
    });
    expect(await told(changed, 'oml-o21-new')).toBe(
      'OBR-27 would be filled, and OML_O21 has another place for it',
    );
    expect(await told(changed, 'orm-o01-new')).toBe('told');
  });

  test('segments in another order are refused; its own (Z) may stand anywhere', async () => {
    const own = `segment: ZKI\nsource: x\nfields:\n  1: "'K'"\n`;
    const behind = (segment: string): string =>
      `changes: hl7v2/outbound/OML-O21\nsource: x\nappend:\n  segments:\n    - segment: ${segment}\n`;
    const withOwn = await changedBy({ 'hl7v2/outbound/segments/ZKI.yaml': own, 'own.yaml': behind('ZKI') });
    expect(await told(withOwn, 'oml-o21-new')).toBe('told');
    const wrong = await changedBy({ 'wrong.yaml': behind('EVN') });
    expect(await told(wrong, 'oml-o21-new')).toBe(
      'the segments MSH PID PV1 ORC TQ1 OBR NTE SPM EVN are no OML_O21',
    );
  });

  test('a receiver that needs less is an overlay', async () => {
    const less = await changedBy({
      'less.yaml': 'changes: hl7v2/outbound/structures/OML_O21\nsource: x\nremove: [required/OBR]\n',
    });
    expect(await told(less, 'oml-o21-new', { requester: undefined })).toBe('told');
  });

  test('brackets that do not match are refused when the maps are read', async () => {
    const broken = changedBy({
      'b.yaml': "changes: hl7v2/outbound/structures/OML_O21\nsource: x\nset: { segments: 'MSH [ PID' }\n",
    });
    await expect(broken).rejects.toMatchObject({
      code: 'unprocessable',
      message: expect.stringContaining('brackets'),
    });
  });
});

interface MapFile {
  readonly structure?: string;
  readonly events?: readonly { readonly structure: string }[];
}

test('every message that is shipped has its structure written down', () => {
  const outbound = resolve('mappings/hl7v2/outbound');
  const yaml = (folder: string): readonly string[] =>
    readdirSync(folder).filter((file) => file.endsWith('.yaml'));
  const written = new Set(yaml(join(outbound, 'structures')).map((file) => basename(file, '.yaml')));
  const maps = [outbound, join(outbound, 'answers')].flatMap((folder) =>
    yaml(folder).map((file) => parse(readFileSync(join(folder, file), 'utf8')) as MapFile),
  );
  const used = maps.flatMap(({ structure, events = [] }) =>
    [structure ?? [], events.map((row) => row.structure)].flat(),
  );
  expect(used.length).toBeGreaterThan(15);
  expect(used.filter((name) => !written.has(name))).toEqual([]);
});
