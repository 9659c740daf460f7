// docs/hl7v2-deviations.md and the maps point at each other: every file that it names is there, and every section that a map names.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const page = readFileSync('docs/hl7v2-deviations.md', 'utf8');

test('every file that the page names is there', () => {
  const files = [...page.matchAll(/`([a-z]+(?:\/[\w-]+)?\.yaml|[a-z]+\/[\w-]+\.yaml)`/gi)].map(
    ([, file = '']) => file,
  );
  const lost = files.filter(
    (file) => !['mappings/hl7v2', 'mappings'].some((at) => existsSync(`${at}/${file}`)),
  );
  expect(files.length).toBeGreaterThan(30);
  expect(lost).toEqual([]);
});

test('every section that a map names is there', () => {
  const sections = globSync('mappings/**/*.yaml').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/hl7v2-deviations\.md, ([a-z ]+)$/gm)].map(([, name = '']) =>
      name.trim(),
    ),
  );
  const titles = [...page.matchAll(/^## (.+)$/gm)].map(([, title = '']) => title.toLowerCase());
  expect(sections.length).toBeGreaterThan(0);
  expect(sections.filter((name) => !titles.includes(name))).toEqual([]);
});

test('every map that names the page is named there', () => {
  const naming = globSync('mappings/**/*.yaml').filter((file) =>
    /hl7v2-deviations\.md(?!, )/.test(readFileSync(file, 'utf8')),
  );
  const unnamed = naming.filter((file) => !page.includes(file.replace(/^mappings\/(hl7v2\/)?/, '')));
  expect(unnamed).toEqual([]);
});
