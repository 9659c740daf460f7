// Every interaction has its request line on a page, every page is listed and has a request line, a table of statuses and a link to the rules.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { interactions } from '../../engine/rest/interactions.ts';

const folder = 'docs/interactions';
const list = readFileSync(`${folder}/README.md`, 'utf8');
const pages = new Map(
  readdirSync(folder)
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .map((name) => [name, readFileSync(`${folder}/${name}`, 'utf8')]),
);
const all = [...pages.values()].join('\n');

const written = (path: string): string =>
  path === '/'
    ? '[base]'
    : `[base]${path}`
        .replace(':compartment', '[compartment]')
        .replace(':type', '[type]')
        .replace(':id', '[id]')
        .replace(':version', '[vid]');

/** At a type by its name, where it is offered there alone. */
const spellings = (path: string): readonly string[] => [
  written(path),
  ...['Patient', 'Encounter', 'Observation', 'Composition', 'ValueSet', 'CodeSystem', 'ConceptMap'].map(
    (type) => written(path.replace(':type', type)),
  ),
  written(path.replace(':id', '[request]')),
];

const lines = all
  .split('\n')
  .map((line) => line.trim().split(/\s+/))
  .map(([method = '', url = '']) => `${method} ${url.replace(/\?.*/, '').replace(/^…/, '')}`);

test.each(interactions.map(({ method, path }) => [method, path] as const))(
  '%s %s stands on a page',
  (method, path) => {
    const possible = spellings(path).map((url) => `${method} ${url}`);
    const isShort = lines.some((line) => line === `${method} ${path.slice(path.lastIndexOf('/'))}`);
    expect(isShort || possible.some((line) => lines.includes(line)) ? undefined : possible).toBeUndefined();
  },
);

test.each([...pages.keys()])('%s is listed', (name) => {
  expect(list.includes(`](${name})`)).toBe(true);
});

const ofInteractions = [
  'batch', 'compartments', 'conditional', 'create', 'delete', 'document', 'everything', 'history', 'lastn', 'meta', 'patch', 'read', 'search', 'search-system',
  'terminology', 'transaction', 'update', 'vread',
]; // prettier-ignore

test.each(ofInteractions)('%s has its statuses, an example and where the rules are', (name) => {
  const page = pages.get(`${name}.md`) ?? '';
  expect(page).toMatch(/^\| status +\| when /m);
  expect(page).toMatch(/https:\/\/hl7\.org\/fhir\/R4\//);
});
