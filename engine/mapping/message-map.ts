// One map for one kind of message: whom it takes, how its segments belong together, what is made of them.
import { isMap, isSeq, type YAMLMap } from 'yaml';
import type { GroupShape } from './groups.ts';
import type { Condition } from './language/expression.ts';
import { compileDefinitions, conditionOf } from './language/template.ts';
import type { Expression } from './scope.ts';
import { scalarText, type MapSource } from './source.ts';
import { compileSteps, type Step, type StepLibrary } from './steps.ts';

export interface MessageMap {
  readonly name: string;
  /** Maps of higher rank are asked first. */
  readonly rank: number;
  readonly takes: Condition;
  readonly shape: GroupShape;
  readonly definitions: ReadonlyMap<string, Expression>;
  /** Names that steps, resources and templates may bind in their scopes. */
  readonly bindable: ReadonlySet<string>;
  readonly steps: readonly Step[];
}

/** `base`: the map that it extends. Throws MapFault. The source has passed its schema. */
export function compileMessageMap(
  source: MapSource,
  base: MessageMap | undefined,
  library: StepLibrary,
): MessageMap {
  const { document } = source;
  const structure = document.get('structure', true);
  const shape = isMap(structure) ? shapeOf('message', structure, source) : base?.shape;
  const steps = document.has('steps')
    ? compileSteps(document.get('steps', true), source, library)
    : base?.steps;
  const takes = conditionOf(document.get('takes', true), source, library);
  if (shape === undefined || steps === undefined) {
    throw source.fault(document.contents, 'a map that extends none needs structure and steps');
  }
  if (takes === undefined) throw source.fault(document.contents, 'takes is missing');
  const own = compileDefinitions(document.get('define', true), source, library);
  return {
    shape,
    steps,
    takes,
    name: scalarText(document.get('map', true)) ?? '',
    rank: Number(document.get('rank') ?? 0),
    bindable: library.bindable,
    definitions: new Map([...(base?.definitions ?? []), ...own]),
  };
}

function shapeOf(name: string, node: YAMLMap, source: MapSource): GroupShape {
  const groups = node.get('groups', true);
  return {
    name,
    starts: namesOf(node.get('starts', true)),
    owns: namesOf(node.get('owns', true)),
    needs: scalarText(node.get('needs', true)),
    groups: isMap(groups)
      ? groups.items.map((pair) => {
          if (!isMap(pair.value)) throw source.fault(groups, 'a group has starts and owns');
          return shapeOf(scalarText(pair.key) ?? '', pair.value, source);
        })
      : [],
  };
}

const namesOf = (node: unknown): readonly string[] =>
  isSeq(node) ? node.items.map((item) => scalarText(item) ?? '') : [];
