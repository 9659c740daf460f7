// Every kind of condition is said in words, and a whole plan reads as a list.
import { expect, test } from '@jest/globals';
import { explainPlan } from '../../../engine/search/explain.ts';
import type { Condition, Leaf, Plan } from '../../../engine/search/plan.ts';

const parameter = 'Observation.x';
const leaves: readonly (readonly [leaf: Leaf, line: string])[] = [
  [{ kind: 'token', parameter, system: 'http://loinc.org', code: '718-7' }, 'Observation.x is the code http://loinc.org|718-7'],
  [{ kind: 'token', parameter, system: undefined, code: '718-7' }, 'Observation.x is the code 718-7'],
  [{ kind: 'token', parameter, system: '', code: '718-7' }, 'Observation.x is the code |718-7'],
  [{ kind: 'token-in', parameter, codes: [{ system: 'a', codes: ['1', '2'] }, { system: 'b', codes: ['3'] }] }, 'Observation.x is one of 3 codes'],
  [{ kind: 'reference', parameter, target: 'Patient/1' }, 'Observation.x refers to Patient/1'],
  [{ kind: 'uri', parameter, value: 'http://a', match: 'below' }, 'Observation.x is or lies below http://a'],
  [{ kind: 'uri', parameter, value: 'http://a|1', match: 'versions' }, 'Observation.x is a version of http://a|1'],
  [{ kind: 'canonical', parameter, value: 'http://a|1' }, 'Observation.x refers to a version of http://a|1'],
  [{ kind: 'string', parameter, match: 'prefix', value: 'a "b"' }, 'Observation.x begins with "a \\"b\\""'],
  [{ kind: 'date', parameter, comparator: 'ge', low: 0, high: Infinity }, 'Observation.x ge [1970-01-01T00:00:00.000Z, Infinity)'],
  [{ kind: 'number', parameter, comparator: 'lt', low: 1.5, high: 2 }, 'Observation.x lt [1.5, 2)'],
  [{ kind: 'quantity', parameter, comparator: 'eq', low: 1, high: 2, unit: 'g', system: undefined }, 'Observation.x eq [1, 2) g'],
  [{ kind: 'quantity', parameter, comparator: 'eq', low: 1, high: 2, unit: undefined, system: undefined }, 'Observation.x eq [1, 2) of any unit'],
  [{ kind: 'missing', parameter }, 'Observation.x has no value'],
  [{ kind: 'composite', parameter, parts: [{ kind: 'token', parameter, system: undefined, code: 'a' }, { kind: 'number', parameter, comparator: 'gt', low: 1, high: 1 }] }, 'Observation.x has one value with Observation.x is the code a and Observation.x gt [1, 1)'],
  [{ kind: 'near', parameter, latitude: -1.3, longitude: 36.8, metres: 500 }, 'Observation.x lies within 500 m of -1.3 36.8'],
  [{ kind: 'text', parameter, words: [{ word: 'anaemia', prefix: false }, { word: 'sev', prefix: true }] }, 'Observation.x has the words anaemia sev…'],
  [{ kind: 'id', values: ['a'] }, 'the id is a'],
  [{ kind: 'id', values: ['a', 'b'] }, 'the id is one of 2'],
  [{ kind: 'lastUpdated', comparator: 'sa', low: 0, high: 1 }, 'the last change sa [1970-01-01T00:00:00.000Z, 1970-01-01T00:00:00.001Z)'],
]; // prettier-ignore

const plan = (where: Condition): Plan => ({
  type: 'Observation',
  where,
  order: [],
  count: 20,
  after: undefined,
  total: 'none',
});

test.each(leaves)('%j', (leaf, line) => {
  expect(explainPlan(plan({ op: 'leaf', leaf })).split('\n')[1]).toBe(`  ${line}`);
});

test('a plan reads as a list', () => {
  const code: Condition = { op: 'leaf', leaf: leaves[1]![0] };
  const where: Condition = {
    op: 'and',
    of: [
      code,
      { op: 'not', of: { op: 'or', of: [code, { op: 'none' }] } },
      { op: 'points-at', parameter, target: 'Patient', where: { op: 'every' } },
      { op: 'pointed-at-by', parameter, source: 'Provenance', where: code },
      { op: 'points-at', parameter, by: 'Library.url:named', target: 'Library', where: { op: 'every' } },
      { op: 'pointed-at-by', parameter, by: 'Library.url:named', source: 'Measure', where: code },
    ],
  };
  const order = [{ by: { kind: 'date', parameter: 'Observation.date' }, descending: true }] as const;
  expect(explainPlan({ ...plan(where), order, before: 'place', total: 'accurate' })).toBe(
    `Observation resources for which
  all of
    Observation.x is the code 718-7
    not
      one of
        Observation.x is the code 718-7
        nothing holds
    Observation.x points at a Patient for which
      anything holds
    a Provenance points at it by Observation.x, for which
      Observation.x is the code 718-7
    Observation.x points by canonical at a Library for which
      anything holds
    a Measure points at it by canonical by Observation.x, for which
      Observation.x is the code 718-7
in the order of Observation.date descending, then the store's own
20 a page, before a place, total accurate`,
  );
});
