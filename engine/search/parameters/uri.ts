// URI parameters: the whole value, with :below what lies under it, with :above under what it lies.
// https://hl7.org/fhir/R4/search.html#uri
import { anyOf, leaf } from '../condition.ts';
import { nameEnd } from '../extraction/canonical-names.ts';
import { entryNames } from '../extraction/entry-names.ts';
import type { Condition, ParameterName } from '../plan.ts';
import { unescaped } from './escapes.ts';
import { inAnySet, unreadable, type ValueReader } from './reader.ts';

export const readUri: ValueReader = (parameter, text) => {
  const value = unescaped(text);
  return inAnySet(parameter, ({ name }) => anyOf(exactly(name, value)));
};

/** `http://a|2`: what has the url and, beside it, the version. A canonical has both in one. */
const exactly = (name: ParameterName, value: string): readonly Condition[] => [
  leaf({ kind: 'uri', parameter: name, value, match: 'exact' }),
  ...(value.includes('|') ? [named(name, `${value}${nameEnd}`)] : []),
];

const named = (name: ParameterName, value: string): Condition =>
  leaf({ kind: 'string', parameter: entryNames(name).named, match: 'prefix', value });

export const readBelow: ValueReader = (parameter, text) => {
  const value = unescaped(text);
  return inAnySet(parameter, ({ name }) =>
    value.includes('|')
      ? anyOf([
          leaf({ kind: 'uri', parameter: name, value, match: 'versions' }),
          ...['.', '-', nameEnd].map((next) => named(name, `${value}${next}`)),
        ])
      : leaf({ kind: 'uri', parameter: name, value, match: 'below' }),
  );
};

const deepestPath = 50;

/** `:above=http://a/b/c` finds `http://a/b/c`, `http://a/b` and `http://a`, each also with a slash at its end. */
export const readAbove: ValueReader = (parameter, text) => {
  const value = unescaped(text);
  const roots = rootsOf(value);
  if (roots.length > deepestPath) throw unreadable(parameter, `a URI of at most ${deepestPath} parts`);
  return inAnySet(parameter, ({ name }) =>
    anyOf(roots.map((root) => leaf({ kind: 'uri', parameter: name, value: root, match: 'exact' }))),
  );
};

function rootsOf(value: string): readonly string[] {
  const start = value.indexOf('://');
  const roots = [value];
  for (let slash = value.lastIndexOf('/'); slash > (start < 0 ? 0 : start + 2);) {
    const root = value.slice(0, slash);
    roots.push(...(value === `${root}/` ? [] : [`${root}/`]), root);
    slash = root.lastIndexOf('/');
  }
  return roots;
}
