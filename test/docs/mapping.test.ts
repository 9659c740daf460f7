// docs/mapping.md shows what the maps really do: its files are read as maps, its messages are mapped, its tables are asked row by row.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { hl7Format } from '../../adapters/hl7/format.ts';
import { parseResource, writeJson } from '../../engine/fhir/exact-json.ts';
import { silentLogger } from '../../engine/kernel/logger.ts';
import { createMapper, type ReloadableMapper } from '../../engine/mapping/create-mapper.ts';
import { functions } from '../../engine/mapping/language/functions.ts';
import { context, mapMessage, parse, resourcesOf } from '../support/maps.ts';

const page = readFileSync('docs/mapping.md', 'utf8');

interface Fence {
  readonly kind: string;
  readonly label: string;
  readonly text: string;
}

const fences: readonly Fence[] = [...page.matchAll(/^```(\w+) (.+)\n([^]*?)^```$/gm)].map(
  ([, kind = '', label = '', text = '']) => ({ kind, label, text }),
);
const fenced = (kind: string, label: string): string =>
  fences.find((fence) => fence.kind === kind && fence.label === label)?.text ?? '';
const message = (name: string): Buffer => Buffer.from(fenced('hl7', name).replaceAll('\n', '\r'));

/** The rows of the tables whose first column has this head; a cell holds one piece of code, or nothing. */
function rowsUnder(head: string): readonly (readonly [asked: string, answer: string])[] {
  const tables = page.split('\n\n').filter((part) => part.startsWith(`| ${head} `));
  return tables.flatMap((table) =>
    table
      .split('\n')
      .slice(2)
      .map((row) => row.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')))
      .map(([, asked = '', answer = '']) => [asked.replaceAll('\\|', '|'), answer] as const),
  );
}

const expressions = rowsUnder('expression');
const conditions = rowsUnder('condition');
const templates = fences.flatMap((fence, at) =>
  fence.label === 'template' ? [{ yaml: fence.text, made: fences[at + 1]?.text ?? '' }] : [],
);

const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, '  ');
/** A file that makes a resource, after a Patient whose id is known. */
const asResource = (elements: string): string =>
  `resource: Basic\nsource: docs/mapping.md\nid: = 'made'\nelements:\n${indented(elements)}`;
const firstPatient =
  "resource: Patient\nsource: docs/mapping.md\nid: = '1'\nelements:\n" +
  '  identifier: [{ system: = $patientSystem, value: = PID-3.1 }]\n  name: [{ family: = PID-5.1 }]\n';
const asMap = (name: string): string =>
  `map: ${name}\nextends: ORU-R01\nsource: docs/mapping.md\ntakes: MSH-3.1 = 'nobody'\n` +
  `steps:\n  - each: patient\n    steps:\n      - make: First\n      - make: ${name}\n`;

/** A name that may stand in a map for any text: YAML reads JSON's strings. */
const listed = (rows: readonly (readonly [string, string])[], element: (asked: string) => string): string =>
  rows.map(([asked], row) => `e${row}: ${element(asked)}\n`).join('');

describe('docs/mapping.md', () => {
  let mapper: ReloadableMapper;
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kiungo-mapping-page-'));
    const made: Record<string, string> = {
      Expressions: listed(expressions, (asked) => JSON.stringify(`= ${asked}`)),
      Conditions: listed(conditions, (asked) => `{ $when: ${JSON.stringify(asked)}, holds: yes }`),
    };
    templates.forEach(({ yaml }, place) => (made[`Template${place}`] = yaml));
    cpSync('mappings', join(folder, 'mappings'), { recursive: true });
    mkdirSync(join(folder, 'overlays'));
    for (const { kind, label, text } of fences) {
      if (kind !== 'yaml') continue;
      if (label.startsWith('mappings/')) writeFileSync(join(folder, label), text);
      if (label.startsWith('overlays/')) writeFileSync(join(folder, label), text);
    }
    const hl7v2 = join(folder, 'mappings/hl7v2');
    writeFileSync(join(hl7v2, 'segments/First.yaml'), firstPatient);
    for (const [name, elements] of Object.entries(made)) {
      writeFileSync(join(hl7v2, `segments/${name}.yaml`), asResource(elements));
      writeFileSync(join(hl7v2, `messages/${name}.yaml`), asMap(name));
    }
    mapper = await createMapper({
      folder: join(folder, 'mappings'),
      overlays: join(folder, 'overlays'),
      logger: silentLogger,
    });
  });

  /** The elements that a part of the page makes of the meter's message. */
  const madeBy = (name: string): Record<string, unknown> => {
    const { bundle, issues } = mapper.map(parse(message('meter')), name, {}, context);
    expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
    const entry = bundle?.entry?.find(({ resource }) => resource?.resourceType === 'Basic');
    return (entry?.resource ?? {}) as unknown as Record<string, unknown>;
  };
  const written = (value: unknown): string =>
    value === undefined ? '' : typeof value === 'string' ? value : writeJson(value);

  test.each(expressions.map(([asked, answer], row) => [asked, answer, row] as const))(
    '`%s` gives `%s`',
    (_asked, answer, row) => {
      expect(written(madeBy('Expressions')[`e${row}`])).toBe(answer);
    },
  );

  test.each(conditions.map(([asked, answer], row) => [asked, answer, row] as const))(
    '`%s` holds: %s',
    (_asked, answer, row) => {
      expect(madeBy('Conditions')[`e${row}`] === undefined ? 'no' : 'yes').toBe(answer);
    },
  );

  test.each(templates.map(({ made }, place) => [place, made] as const))(
    'template %i makes what stands under it',
    (place, made) => {
      const whole = JSON.parse(writeJson(madeBy(`Template${place}`))) as object;
      expect(whole).toEqual({ resourceType: 'Basic', id: 'made', ...(JSON.parse(made) as object) });
    },
  );

  test.each(['meter', 'staff'])('the message of the %s becomes what stands under it', (name) => {
    const made = resourcesOf(mapMessage(mapper, message(name)).bundle);
    const expected = JSON.parse(fenced('json', name)) as { resourceType: string }[];
    for (const resource of expected) expect(made).toContainEqual(containing(resource));
  });

  test('the appointment becomes the message that stands under it', async () => {
    const resource = parseResource(fenced('json', 'appointment'));
    const made = await mapper.render('SIU', { resource, previous: undefined }, () =>
      Promise.resolve(undefined),
    );
    const text = Buffer.from(hl7Format.renderMessage?.(made.segments) ?? []).toString('utf8');
    expect(text.replace(made.controlId, 'CONTROL').replaceAll('\r', '\n')).toBe(fenced('hl7', 'appointment'));
  });

  test('without its own map the meter’s value is no number, as the page says', async () => {
    const shipped = await createMapper({ folder: 'mappings', logger: silentLogger });
    const made = resourcesOf(mapMessage(shipped, message('meter')).bundle);
    expect(JSON.stringify(made)).toContain('6,30');
    expect(JSON.stringify(made)).not.toContain('"value":6.3');
  });

  test('explains every function that there is', () => {
    const shown = expressions.map(([asked]) => asked).join('\n');
    const missing = Object.keys(functions).filter(
      (name) => !new RegExp(`\\| ${name}\\b`).test(shown) && !page.includes(`\`${name}\``),
    );
    expect(missing).toEqual([]);
  });

  test('its messages are read without a fault', () => {
    for (const name of ['meter', 'staff']) expect(hl7Format.parse(message(name)).issues).toEqual([]);
  });
});

/** Matches what has at least this: objects and lists alike. */
function containing(expected: unknown): unknown {
  if (Array.isArray(expected)) return expected.map(containing);
  if (typeof expected !== 'object' || expected === null) return expected;
  const inside = Object.entries(expected).map(([name, value]) => [name, containing(value)] as const);
  return expect.objectContaining(Object.fromEntries(inside));
}
