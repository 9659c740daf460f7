// `_sort=-date,status`, https://hl7.org/fhir/R4/search.html#sort
import { Refusal } from '../../kernel/outcomes.ts';
import type { CompiledParameter } from '../definitions/compiled.ts';
import type { SortKey } from '../plan.ts';
import { unknownParameter, type ParameterTable } from './conditions.ts';

/** A parameter that looks in several sets sorts by the first: `name` by the family name. Throws Refusal `unknown-parameter`. */
export const readSort = (type: string, value: string, table: ParameterTable): readonly SortKey[] =>
  value.split(',').map((part): SortKey => {
    const descending = part.startsWith('-');
    return { by: keyOf(type, descending ? part.slice(1) : part, table), descending };
  });

function keyOf(type: string, code: string, table: ParameterTable): SortKey['by'] {
  if (code === '_id') return { kind: 'id' };
  if (code === '_lastUpdated') return { kind: 'lastUpdated' };
  const parameter = table.find(type, code);
  if (parameter === undefined) throw unknownParameter(table, type, code);
  const kind = sortable(parameter);
  const [first] = parameter.sets;
  if (first === undefined) throw unknownParameter(table, type, code);
  return { kind, parameter: first.name };
}

function sortable({
  code,
  type,
  reads,
}: CompiledParameter): Exclude<SortKey['by']['kind'], 'lastUpdated' | 'id'> {
  if (type !== 'composite' && type !== 'special' && reads === undefined) return type;
  throw new Refusal('unknown-parameter', `_sort by ${code} is not possible`, '_sort');
}
