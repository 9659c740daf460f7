// What `$each` goes through: repetitions of a field, groups of segments, segments of a name, or values.
import { isMap, type Node } from 'yaml';
import type { Made, Scope } from '../scope.ts';
import { scalarText, type MapSource } from '../source.ts';
import { compileCondition, compileExpression } from './expression.ts';
import { itemsAt, parsePath } from './path.ts';
import type { Tables } from './tables.ts';

/** The scopes in which something is to be made, one for each item. Within them `$it` is a value gone through. */
export type Items = (scope: Scope) => readonly Scope[];

/** `PID-3[*]`, `$name`, `{ segments: NTE-3 }` or `{ groups: result, where: condition }`. Throws MapFault. */
export function compileItems(node: Node, source: MapSource, tables: Tables): Items {
  try {
    if (isMap(node) && node.has('segments')) return segmentItems(String(node.get('segments')));
    if (isMap(node)) return groupItems(node.get('groups'), node.get('where'), tables);
    const text = scalarText(node) ?? '';
    return text.startsWith('$') ? valueItems(text, tables) : fieldItems(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw source.fault(node, error.message);
    throw error;
  }
}

function fieldItems(text: string): Items {
  const path = parsePath(text);
  return (scope) => itemsAt(path, scope).map((item) => scope.on(item));
}

/** That field of every segment of the name in the group at hand, and in no other. */
function segmentItems(text: string): Items {
  const { segment: name = '', field } = parsePath(text);
  return (scope) =>
    (scope.group.segments.get(name) ?? []).map((segment) => scope.on({ segment, field, repetition: 1 }));
}

function valueItems(text: string, tables: Tables): Items {
  const expression = compileExpression(text, tables);
  return (scope) => {
    const value = expression(scope);
    const values: readonly (Made | string)[] = Array.isArray(value)
      ? value
      : value === undefined
        ? []
        : [value];
    return values.map((member) => {
      const inner = scope.inner();
      inner.define('it', () => member);
      return inner;
    });
  };
}

function groupItems(groups: unknown, where: unknown, tables: Tables): Items {
  if (typeof groups !== 'string') throw new SyntaxError('groups: the kind of group is missing');
  const holds = typeof where === 'string' ? compileCondition(where, tables) : () => true;
  return (scope) =>
    scope
      .groups(groups)
      .map((group) => scope.within(group))
      .filter(holds);
}
