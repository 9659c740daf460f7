// JSON Patch: https://www.rfc-editor.org/rfc/rfc6902
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import { isWithin, readPointer, spotOf, valueAt, type Pointer } from './json-pointer.ts';
import { copyOf, isFields, isSame } from './json-values.ts';
import { inOperation, maximumOperations, type Change, type Work } from './work.ts';

/** The document after the operation. */
type Operation = (document: unknown, work: Work) => unknown;

/** Throws Refusal `bad-request` for what is no list of operations. */
export function readJsonPatch(value: unknown): Change {
  if (!Array.isArray(value)) throw badRequest('a JSON Patch is a list of operations');
  if (value.length > maximumOperations) {
    throw badRequest(`a patch has at most ${maximumOperations} operations`);
  }
  const operations = value.map((one: unknown, place) => inOperation(place, () => readOperation(one)));
  return (document, work) =>
    operations.reduce<unknown>(
      (changed, operation, place) => inOperation(place, () => operation(changed, work)),
      document,
    );
}

interface Written {
  readonly path: Pointer;
  readonly from: () => Pointer;
  readonly value: () => unknown;
}

function readOperation(one: unknown): Operation {
  if (!isFields(one)) throw badRequest('an operation is an object');
  const { op, path, from, value } = one;
  const make = typeof op === 'string' && Object.hasOwn(operations, op) ? operations[op] : undefined;
  if (!make) throw badRequest(`its op is one of ${Object.keys(operations).join(', ')}`);
  return make({
    path: readPointer(path, 'path'),
    from: () => readPointer(from, 'from'),
    value: () => {
      if (!Object.hasOwn(one, 'value')) throw badRequest('it has no value');
      return value;
    },
  });
}

const operations: Readonly<Record<string, (written: Written) => Operation>> = {
  add: ({ path, value }) => {
    const added = value();
    return (document, work) => put(document, path, copyOf(added, work.spend));
  },
  remove:
    ({ path }) =>
    (document) =>
      without(document, path),
  replace: ({ path, value }) => {
    const put = value();
    return (document, work) => replace(document, path, copyOf(put, work.spend));
  },
  move: ({ path, from }) => {
    const source = from();
    if (isWithin(path, source)) throw badRequest('nothing can be moved into itself');
    return (document) => {
      const moved = valueAt(spotOf(document, source));
      return put(without(document, source), path, moved);
    };
  },
  copy: ({ path, from }) => {
    const source = from();
    return (document, work) => put(document, path, copyOf(valueAt(spotOf(document, source)), work.spend));
  },
  test: ({ path, value }) => {
    const expected = value();
    return (document) => {
      const found = path.length === 0 ? document : valueAt(spotOf(document, path));
      if (!isSame(found, expected)) {
        throw new Refusal('unprocessable', 'the test failed: another value is there');
      }
      return document;
    };
  },
};

function put(document: unknown, path: Pointer, value: unknown): unknown {
  if (path.length === 0) return value;
  const spot = spotOf(document, path);
  if ('list' in spot) spot.list.splice(spot.index, 0, value);
  else spot.fields[spot.key] = present(value);
  return document;
}

function replace(document: unknown, path: Pointer, value: unknown): unknown {
  if (path.length === 0) return value;
  const spot = spotOf(document, path);
  valueAt(spot);
  if ('list' in spot) spot.list[spot.index] = value;
  else spot.fields[spot.key] = present(value);
  return document;
}

function without(document: unknown, path: Pointer): unknown {
  const spot = spotOf(document, path);
  valueAt(spot);
  if ('list' in spot) spot.list.splice(spot.index, 1);
  else Reflect.deleteProperty(spot.fields, spot.key);
  return document;
}

/** FHIR has no null but to hold a place in a list. */
function present(value: unknown): unknown {
  if (value === null) throw new Refusal('unprocessable', 'null is no value in FHIR; use remove');
  return value;
}
