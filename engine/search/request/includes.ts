// `_include` and `_revinclude`, https://hl7.org/fhir/R4/search.html#include
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import { isFollowed } from '../links.ts';
import type { Include } from '../search-index.ts';
import { unknownParameter, type ParameterTable } from './conditions.ts';

/** Reads `Observation:subject:Patient`, `Observation:*`, `*`. Throws Refusal for what cannot be followed. */
export function readInclude(
  kind: Include['kind'],
  modifier: string,
  value: string,
  type: string,
  table: ParameterTable,
): Include {
  const iterate = modifier === 'iterate' || modifier === 'recurse';
  if (modifier !== '' && !iterate) {
    throw new Refusal(
      'unknown-parameter',
      `the modifier :${modifier.slice(0, 64)} is not supported for _${kind}`,
    );
  }
  if (value === '*') {
    const source = kind === 'include' && !iterate ? type : '*';
    return { kind, source, parameter: '*', target: undefined, iterate };
  }
  const [source = '', parameter = '', target, ...more] = value.split(':');
  if (parameter === '' || more.length > 0 || !table.isType(source)) {
    throw badRequest(`_${kind} is written Type:parameter, Type:parameter:TargetType or Type:*`, `_${kind}`);
  }
  if (target !== undefined && !table.isType(target)) {
    throw badRequest(`the target type of _${kind} is no resource type`, `_${kind}`);
  }
  if (parameter !== '*') refuseOthers(source, parameter, table);
  return { kind, source, parameter, target, iterate };
}

function refuseOthers(source: string, code: string, table: ParameterTable): void {
  const parameter = table.find(source, code);
  if (parameter === undefined) throw unknownParameter(table, source, code);
  if (!isFollowed(parameter)) {
    throw new Refusal('unknown-parameter', `${source}.${code} is no reference that can be followed`, code);
  }
}
