// A search over several types at once: https://hl7.org/fhir/R4/http.html#search, `GET [base]?_type=Patient,Practitioner&…`.
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import type { SearchOptions, SearchRequest, SystemRequest } from '../search-index.ts';
import type { ParameterTable } from './conditions.ts';
import { inQuery, pairsOf, readRequest } from './read-request.ts';

/** Throws Refusal `unknown-parameter` (unless lenient) for a parameter that one of the types does not have, and `bad-request`. */
export function readSystemRequest(
  query: string,
  table: ParameterTable,
  options: SearchOptions,
  zoneOffsetMinutes: number,
): SystemRequest {
  const pairs = pairsOf(query);
  const named = pairs.filter(([key]) => key === '_type').flatMap(([, value]) => value.split(','));
  const types = named.length === 0 ? table.types : [...new Set(named)];
  const stranger = types.find((type) => !table.isType(type));
  if (stranger !== undefined) throw badRequest('_type names resource types', '_type');
  const rest = pairs.filter(([key]) => key !== '_type');
  const read = (left: ReadonlySet<string>): readonly SearchRequest[] => {
    const asked = new URLSearchParams(
      rest.filter(([key]) => !left.has(key)).map(([key, value]): [string, string] => [key, value]),
    ).toString();
    return types.map((type) => readRequest(type, asked, table, options, zoneOffsetMinutes));
  };
  // What one type does not know is left out for all.
  const ignored = new Set(read(new Set()).flatMap((request) => request.ignored));
  return joined(read(ignored), named, [...ignored]);
}

function joined(
  requests: readonly SearchRequest[],
  named: readonly string[],
  ignored: readonly string[],
): SystemRequest {
  const [first] = requests;
  if (first === undefined) throw badRequest('a search is for at least one type', '_type');
  const { order, count, after, before, total } = first.plan;
  if (!order.every(({ by, descending }) => by.kind === 'lastUpdated' && descending)) {
    throw new Refusal('unknown-parameter', 'several types together sort by -_lastUpdated alone', '_sort');
  }
  if (before !== undefined) throw badRequest('a search over several types goes forwards only');
  const type = named.length === 0 ? [] : [`_type=${inQuery(named.join(','))}`];
  const includes = new Map(
    requests.flatMap((request) => request.includes).map((include) => [JSON.stringify(include), include]),
  );
  return {
    plan: {
      parts: requests.map(({ plan }) => ({ type: plan.type, where: plan.where })),
      count,
      after,
      total: total === 'none' ? 'none' : 'accurate',
    },
    includes: [...includes.values()],
    self: [...type, ...(first.self === '' ? [] : [first.self])].join('&'),
    ignored,
  };
}
