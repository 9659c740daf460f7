// Queries are answered from the store: real store, real search, shipped maps. The texts of answers lie in test/golden/hl7v2-queries;
// KIUNGO_WRITE_GOLDEN=1 writes them anew, to be reviewed.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FhirResource } from '../../../engine/fhir/resource.ts';
import { createQueryAnswers } from '../../../engine/messages/answer-query.ts';
import type { AllowedQueries, ChannelSettings } from '../../../engine/messages/stages.ts';
import type { StoppableInbox } from '../../../engine/messages/inbox.ts';
import { hl7, shippedMapper } from '../../support/maps.ts';
import { administrator, arrivalOf, openHouse, type House } from './house.ts';
import { wholeDeliveries } from '../../support/deliveries.ts';

const folder = resolve('test/golden/hl7v2-queries');
const isWritten = process.env['KIUNGO_WRITE_GOLDEN'] === '1';
const mapper = await shippedMapper();

const all: AllowedQueries = { demographics: true, identifiers: true, work: { destination: 'lab.analyser' } };
const hospital = 'urn:oid:1.3.6.1.4.1.99999.1';
const clinic = 'urn:kiungo:authority:CLINIC';
const barcodes = 'urn:kiungo:barcode';

const patient = (
  id: string,
  names: readonly [string, string],
  numbers: object[],
  more: object = {},
): FhirResource => ({
  resourceType: 'Patient',
  id,
  identifier: numbers,
  name: [{ family: names[0], given: [names[1]] }],
  ...more,
});
const of = (system: string, value: string, more: object = {}): object => ({ system, value, ...more });

const stored: readonly FhirResource[] = [
  patient('amina', ['Wanjiru', 'Amina'], [of(hospital, '100'), of(clinic, 'C-1')], {
    gender: 'female',
    birthDate: '1988-04-12',
    telecom: [{ system: 'phone', value: '0722000111' }],
    address: [{ line: ['Plot 12'], city: 'Kisumu' }],
    link: [{ other: { reference: 'Patient/amina-elsewhere' }, type: 'seealso' }],
  }),
  patient('amina-elsewhere', ['Wanjiru', 'A'], [of('urn:kiungo:authority:COUNTY', 'X-9')], {
    birthDate: '1988-04-12',
    link: [{ other: { reference: 'Patient/amina' }, type: 'seealso' }],
  }),
  patient('ruth', ['Wanjiku', 'Ruth'], [of(hospital, '101'), of(hospital, '099', { use: 'old' })], {
    gender: 'female',
  }),
  patient('james', ['Otieno', 'James|Paul'], [of(clinic, 'C-2')], { gender: 'male', birthDate: '1990' }),
  patient('gone', ['Wanjiru', 'Ami'], [of(hospital, '090')], { active: false }),
  {
    resourceType: 'Specimen',
    id: 'tube',
    identifier: [of(barcodes, '2611-17')],
    type: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0487', code: 'PLAS', display: 'Plasma' }],
    },
    subject: { reference: 'Patient/amina' },
  },
  ...['70241-5', '14749-6'].map((code, at) => ({
    resourceType: 'ServiceRequest',
    id: `order-${at}`,
    status: 'active',
    intent: 'order',
    priority: 'stat',
    authoredOn: '2026-11-21T08:00:00+03:00',
    identifier: [of('urn:kiungo:order-number', `OR-${at}`)],
    code: { coding: [{ system: 'http://loinc.org', code, display: 'Test' }] },
    subject: { reference: 'Patient/amina' },
    specimen: [{ reference: 'Specimen/tube' }],
  })),
];

let house: House;
let settings: ChannelSettings;
let woken = 0;
let inbox: StoppableInbox;

beforeAll(async () => {
  house = await openHouse(undefined, false);
  for (const resource of stored) await house.repository.as(administrator).update(resource);
  const settingsOf = (): ChannelSettings => settings;
  const queries = createQueryAnswers({ ...house, mapper, settingsOf, wakeOutbox: () => (woken += 1) });
  inbox = house.inbox({ queries, settingsOf });
});
afterAll(async () => {
  await inbox.stop();
  await house.close();
});

const allowing = (queries?: AllowedQueries): ChannelSettings => ({
  acknowledgements: 'as-asked',
  charset: undefined,
  ...(queries === undefined ? {} : { queries }),
});

/** The answers as texts; ids and times of this run made the same in each. */
async function asked(raw: string, queries: AllowedQueries | undefined = all): Promise<readonly string[]> {
  settings = allowing(queries);
  const { answers } = await inbox.receive(arrivalOf(Buffer.from(raw)));
  return answers.map((answer) => settled(Buffer.from(answer).toString('utf8')));
}

const settled = (text: string): string =>
  text
    .replace(/^(MSH(?:\|[^|\r]*){5})\|\d+[+-]\d{4}/, '$1|TIME')
    .replace(/^(MSH(?:\|[^|\r]*){8})\|s\d+/, '$1|ID')
    .replaceAll(/(\rORC\|DC\|{7})\d+[+-]\d{4}/g, '$1|TIME');

const names = readdirSync(folder)
  .filter((file) => file.endsWith('.query.hl7'))
  .map((file) => basename(file, '.query.hl7'));

describe('golden queries', () => {
  test.each(names)('%s', async (name) => {
    const query = readFileSync(resolve(folder, `${name}.query.hl7`), 'utf8').replaceAll('\n', '\r');
    const made = (await asked(query)).join('\n').replaceAll('\r', '\n');
    const file = resolve(folder, `${name}.answer.hl7`);
    if (isWritten || !existsSync(file)) writeFileSync(file, made);
    expect(made).toBe(readFileSync(file, 'utf8'));
  });
});

let count = 0;
const query = (event: string, qpd: string, ...more: readonly string[]): string =>
  hl7(
    `MSH|^~\\&|EMR|WEST|KIUNGO|KCH|20261121120000+0300||QBP^${event}^QBP_Q21|q${(count += 1)}|P|2.5`,
    qpd,
    ...more,
  );
const demographics = (fields: string, ...more: readonly string[]): string =>
  query('Q22', `QPD|IHE PDQ Query|T1|${fields}`, ...(more.length === 0 ? ['RCP|I'] : more));

/** MSA-1, QAK-2, and the first number of each patient. */
const told = (answer = ''): readonly string[] => [
  /\rMSA\|(\w*)/.exec(answer)?.[1] ?? '',
  /\rQAK\|[^|\r]*\|(\w*)/.exec(answer)?.[1] ?? '',
  ...[...answer.matchAll(/\rPID\|\d*\|\|([^^|\r]*)/g)].map(([, number = '']) => number),
];

/** QAK-4 to QAK-6. */
const hits = (answer = ''): string => {
  const [, , , , ...counts] = (/\r(QAK\|[^\r]*)/.exec(answer)?.[1] ?? '').split('|');
  return [0, 1, 2].map((at) => counts[at] ?? '').join('|');
};

describe('demographics: who fits', () => {
  test.each<[rule: string, fields: string, expected: readonly string[]]>([
    ['a family name, whatever its case', '@PID.5.1^WANJIRU', ['AA', 'OK', '100', 'X-9']],
    ['the first subcomponent of it', '@PID.5.1.1^wanjiru', ['AA', 'OK', '100', 'X-9']],
    ['names that begin so', '@PID.5.1^WANJI*', ['AA', 'OK', '100', 'X-9', '101']],
    ['names that hold it', '@PID.5.1^*tien*', ['AA', 'OK', 'C-2']],
    ['all conditions hold', '@PID.5.1^WANJI*~@PID.5.2^Ruth', ['AA', 'OK', '101']],
    ['a date of birth', '@PID.7^19880412', ['AA', 'OK', '100', 'X-9']],
    ['a year of birth', '@PID.7.1^1990', ['AA', 'OK', 'C-2']],
    ['sex', '@PID.8^M', ['AA', 'OK', 'C-2']],
    ['a number', '@PID.3.1^100', ['AA', 'OK', '100']],
    ['a number of an authority', '@PID.3.1^100~@PID.3.4.2^1.3.6.1.4.1.99999.1', ['AA', 'OK', '100']],
    ['a number of another authority', '@PID.3.1^100~@PID.3.4^CLINIC', ['AA', 'NF']],
    ['a city', '@PID.11.3^kisumu', ['AA', 'OK', '100']],
    ['a phone', '@PID.13^0722000111', ['AA', 'OK', '100']],
    ['nobody', '@PID.5.1^Nobody', ['AA', 'NF']],
    ['not one who was merged away', '@PID.3.1^090', ['AA', 'NF']],
    ['a text with the signs of a search', '@PID.5.1^x,y|z&_count=1', ['AA', 'NF']],
  ])('%s', async (_rule, fields, expected) => {
    const [answer] = await asked(demographics(fields));
    expect(told(answer)).toEqual(expected);
  });

  test.each<[rule: string, fields: string, error: string]>([
    ['nothing is asked', '', 'ERR||||E'],
    [
      'a field that is not asked by',
      '@PID.23^Nairobi',
      'ERR||QPD^1^3^1^1|103^Table value not found^HL70357|E',
    ],
    ['the second is not asked by', '@PID.8^F~@ZZZ.1^x', 'ERR||QPD^1^3^2^1|103^'],
    ['a star within', '@PID.5.1^W*ru', 'ERR||QPD^1^3^1^2|102^Data type error^HL70357|E'],
    ['no date', '@PID.7^soon', 'ERR||QPD^1^3^1^2|102^'],
    ['no sex', '@PID.8^?', 'ERR||QPD^1^3^1^2|102^'],
    [
      'a domain with the signs of a search',
      '@PID.8^F|||||^^^&http://x\\T\\_count=0\\T\\identifier=&URI',
      'ERR||QPD^1^8^1|204^',
    ],
    [
      'an unknown domain',
      '@PID.8^F|||||^^^CLINIC~^^^NOWHERE',
      'ERR||QPD^1^8^2|204^Unknown key identifier^HL70357|E',
    ],
  ])('refused: %s', async (_rule, fields, error) => {
    const [answer] = await asked(demographics(fields));
    expect(told(answer)).toEqual(['AE', 'AE']);
    if (fields !== '') expect(answer).toContain(`\r${error}`);
    expect(answer).not.toContain('\rPID|');
  });

  test('of the wanted domains only, and only patients who have a number there', async () => {
    const [answer] = await asked(demographics('@PID.8^F~@PID.5.1^WANJI*|||||^^^CLINIC'));
    expect(told(answer)).toEqual(['AA', 'OK', 'C-1']);
    expect(answer).not.toContain('100^');
  });

  test('page by page, until there are no more', async () => {
    const [first = ''] = await asked(demographics('@PID.5.1^WANJI*', 'RCP|I|2^RD'));
    expect(told(first)).toEqual(['AA', 'OK', '100', 'X-9']);
    const pointer = /\rDSC\|([^|\r]+)\|I\r/.exec(first)?.[1] ?? '';
    const [second = ''] = await asked(demographics('@PID.5.1^WANJI*', 'RCP|I|2^RD', `DSC|${pointer}`));
    expect(told(second)).toEqual(['AA', 'OK', '101']);
    expect(second).not.toContain('\rDSC|');
    expect([hits(first), hits(second)]).toEqual(['|2|', '|1|0']);
  });

  // HL7 2.5.1, 5.5.2.4 to 5.5.2.6: in all, in this answer, still to come.
  test('how many were found is told where it is known', async () => {
    const [all] = await asked(demographics('@PID.5.1^WANJI*'));
    const [nobody] = await asked(demographics('@PID.5.1^Nobody'));
    const [refused] = await asked(demographics('@PID.8^?'));
    expect([hits(all), hits(nobody), hits(refused)]).toEqual(['3|3|0', '0|0|0', '||']);
  });

  test('a pointer that was never given is refused', async () => {
    const [answer] = await asked(demographics('@PID.5.1^WANJI*', 'RCP|I|2^RD', 'DSC|nonsense'));
    expect(told(answer)).toEqual(['AE', 'AE']);
  });
});

describe('identifiers: which other numbers', () => {
  const numbers = (number: string, wanted = ''): string =>
    query('Q23', `QPD|IHE PIX Query|T2|${number}|${wanted}`, 'RCP|I');

  test.each<[rule: string, raw: string, expected: readonly string[], numbers: string]>([
    [
      'all others, of linked records too',
      numbers('100^^^&1.3.6.1.4.1.99999.1&ISO'),
      ['AA', 'OK', 'C-1'],
      'C-1^^^CLINIC~X-9^^^COUNTY||^^^^^^S',
    ],
    [
      'of one domain',
      numbers('100^^^&1.3.6.1.4.1.99999.1&ISO', '^^^COUNTY'),
      ['AA', 'OK', 'X-9'],
      'X-9^^^COUNTY||^^^^^^S',
    ],
    ['none in the wanted domain', numbers('C-2^^^CLINIC', '^^^COUNTY'), ['AA', 'NF'], ''],
    [
      'an old number leads to the new one',
      numbers('099^^^&1.3.6.1.4.1.99999.1&ISO'),
      ['AA', 'OK', '101'],
      '101^^^&1.3.6.1.4.1.99999.1&ISO||^^^^^^S',
    ],
  ])('%s', async (_rule, raw, expected, listed) => {
    const [answer] = await asked(raw);
    expect(told(answer)).toEqual(expected);
    if (listed !== '') expect(answer).toContain(`\rPID|||${listed}\r`);
  });

  test.each<[rule: string, raw: string, error: string]>([
    ['an unknown number', numbers('555^^^CLINIC'), 'ERR||QPD^1^3^1^1|204^Unknown key identifier^HL70357|E'],
    ['an unknown authority', numbers('100^^^NOWHERE'), 'ERR||QPD^1^3^1^4|204^'],
    ['an unknown wanted domain', numbers('C-1^^^CLINIC', '^^^COUNTY~^^^NOWHERE'), 'ERR||QPD^1^4^2|204^'],
  ])('refused: %s', async (_rule, raw, error) => {
    const [answer] = await asked(raw);
    expect(told(answer)).toEqual(['AE', 'AE']);
    expect(answer).toContain(`\r${error}`);
  });
});

describe('work: what is to be done with a sample', () => {
  const work = (barcode: string): string =>
    query('Q11', `QPD|WOS^Work Order Step^IHE_LABTF|T3|${barcode}|1692|2`, 'RCP|I||R^Real Time^HL70394');
  const sent = async (): Promise<string> => {
    const [last] = (await wholeDeliveries(house.store.messages))
      .filter(({ destination }) => destination === 'send:lab.analyser')
      .toSorted((one, other) => (one.id < other.id ? 1 : -1));
    return settled(Buffer.from(last?.payload ?? []).toString());
  };

  test('the answer says that it follows, and the orders follow', async () => {
    woken = 0;
    const [answer] = await asked(work('2611-17'));
    expect(told(answer)).toEqual(['AA', 'OK']);
    expect(await sent()).toBe(
      hl7(
        'MSH|^~\\&|KIUNGO|KCH|EMR|WEST|TIME||OML^O33^OML_O33|ID|P|2.5.1|||NE|AL||UNICODE UTF-8|||LAB-28^IHE',
        'PID|1||100^^^&1.3.6.1.4.1.99999.1&ISO~C-1^^^CLINIC||Wanjiru^Amina||19880412|F',
        'SPM|1|2611-17||PLAS^Plasma^HL70487|||||||P^^HL70369',
        'SAC|||2611-17|||||||1692|2',
        'ORC|NW|OR-0|||||||20261121080000+0300',
        'TQ1|||||||||S',
        'OBR||OR-0||70241-5^Test^LN',
        'ORC|NW|OR-1|||||||20261121080000+0300',
        'TQ1|||||||||S',
        'OBR||OR-1||14749-6^Test^LN',
      ),
    );
    expect(woken).toBe(1);
  });

  test('nothing to do is said too', async () => {
    const [answer] = await asked(work('nothing'));
    expect(told(answer)).toEqual(['AA', 'OK']);
    expect(await sent()).toContain('\rSPM|1||||||||||U^^HL70369\rSAC|||nothing|||||||1692|2\rORC|DC|||||||');
  });

  test('without a barcode nothing is given out', async () => {
    const before = await sent();
    const [answer] = await asked(work(''));
    expect(told(answer)).toEqual(['AE', 'AE']);
    expect(await sent()).toBe(before);
  });
});

describe('what a channel allows', () => {
  const ask = (): string => demographics('@PID.8^F');

  test.each<[rule: string, queries: AllowedQueries]>([
    ['nothing', {}],
    ['other queries', { identifiers: true, work: { destination: 'lab.analyser' } }],
  ])('a channel that allows %s rejects the query and tells nothing', async (_rule, queries) => {
    const [answer] = await asked(ask(), queries);
    expect(told(answer)).toEqual(['AR', 'AR']);
    expect(answer).toMatch(/\rERR\|\|\|207\^[^|]*\|E\|\|\|\|this channel answers no such queries/);
    expect(answer).not.toContain('PID|1');
  });

  test('without the setting it is the same', async () => {
    settings = allowing();
    const { answers } = await inbox.receive(arrivalOf(Buffer.from(ask())));
    expect(told(Buffer.from(answers[0] ?? []).toString())).toEqual(['AR', 'AR']);
  });

  test('a channel that only hands on leaves the answer to others', async () => {
    settings = { ...allowing(), map: 'none' };
    const { answers } = await inbox.receive(arrivalOf(Buffer.from(ask())));
    expect(Buffer.from(answers[0] ?? []).toString()).toContain('|ACK^Q22^ACK|');
  });
});

describe('a query is kept with its answer', () => {
  test('the same control id over the same bytes gets the answer that it got; another asks anew', async () => {
    const raw = demographics('@PID.5.1^Achieng');
    const [first] = await asked(raw);
    expect(told(first)).toEqual(['AA', 'NF']);
    await house.repository
      .as(administrator)
      .update(patient('new', ['Achieng', 'Mary'], [of(hospital, '200')]));
    expect(await asked(raw)).toEqual([first]);
    expect(told((await asked(demographics('@PID.5.1^Achieng')))[0])).toEqual(['AA', 'OK', '200']);
    const kept = (await house.messages()).find(({ controlId }) => controlId === `q${count}`);
    expect(Buffer.from(kept?.answer ?? []).toString()).toContain('|RSP^K22^RSP_K21|');
  });

  test('without a control id it is asked anew each time', async () => {
    const raw = demographics('@PID.5.1^Auma').replace(/\|q\d+\|/, '||');
    expect(told((await asked(raw))[0])).toEqual(['AA', 'NF']);
    await house.repository.as(administrator).update(patient('auma', ['Auma', 'Ann'], [of(hospital, '201')]));
    expect(told((await asked(raw))[0])).toEqual(['AA', 'OK', '201']);
  });

  test('in enhanced mode the commit comes first', async () => {
    const raw = demographics('@PID.8^M').replace('|P|2.5\r', '|P|2.5|||AL|AL\r');
    const answers = await asked(raw);
    expect(answers.map((answer) => told(answer)[0])).toEqual(['CA', 'AA']);
  });
});
