// The search index put together from the compiled definitions: the one way in for the other parts.
import type { FhirResource } from '../fhir/resource.ts';
import type { CompiledDefinitions, CompiledParameter, CompiledType } from './definitions/compiled.ts';
import { Refusal } from '../kernel/outcomes.ts';
import { readDefinitions } from './definitions/cache.ts';
import type { AddedParameter } from './definitions/compile-added.ts';
import { isNamedByUrl, linkExtraction, type Extraction } from './extraction/extract.ts';
import type { ExtractionOptions } from './extraction/collector.ts';
import { withOtherReferences } from './other-references.ts';
import type { IndexEntry } from './index-entry.ts';
import { canonicalLinks } from './links.ts';
import { matches } from './match.ts';
import type { ParameterTable } from './request/conditions.ts';
import { readRequest } from './request/read-request.ts';
import type { CanonicalLink, SearchIndex, SearchParameterInfo } from './search-index.ts';

export interface IndexOptions {
  /** The public FHIR base: absolute references under it are indexed as relative ones. */
  readonly base?: string;
  /** Minutes east of UTC, for dates that are written without a time zone (Nairobi: 180). 0 when not given. */
  readonly zoneOffsetMinutes?: number;
}

/** Loads the compiled definitions. Throws when they have not been prepared (see scripts/prepare.mjs). */
export function loadSearchIndex(options: IndexOptions = {}): SearchIndex {
  const extraction = {
    base: (options.base ?? '').replace(/\/+$/, ''),
    zoneOffsetMinutes: options.zoneOffsetMinutes ?? 0,
  };
  const types = new IndexedTypes(readDefinitions(), extraction);
  return {
    get revision() {
      return types.revision;
    },
    types: types.types,
    isType: (name) => types.isType(name),
    parameters: (type) => types.listed(type),
    entries: (resource) => withOtherReferences(types.entries(resource), resource, extraction.base),
    request: (type, query, search) => {
      const { table, unfinished } = types.watched();
      const request = readRequest(type, query, table, search, extraction.zoneOffsetMinutes);
      return { ...request, unfinished: [...unfinished] };
    },
    matches,
    define: (parameter) => types.define(parameter),
    forget: (url) => types.forget(url),
    setUnfinished: (urls) => types.setUnfinished(urls),
    referencesOf: (resource, parameter, target) => types.references(resource, parameter, target),
    canonicalLinks: (source, parameter, target) => types.canonicalLinks(source, parameter, target),
  };
}

/** Answered from the resource's own row. */
const storeParameters: readonly SearchParameterInfo[] = [
  {
    code: '_id',
    type: 'token',
    definition: 'http://hl7.org/fhir/SearchParameter/Resource-id',
    documentation: 'Logical id of this artifact',
  },
  {
    code: '_lastUpdated',
    type: 'date',
    definition: 'http://hl7.org/fhir/SearchParameter/Resource-lastUpdated',
    documentation: 'When the resource version last changed',
  },
];

interface IndexedType {
  readonly named: boolean;
  readonly parameters: ReadonlyMap<string, CompiledParameter>;
  readonly extract: Extraction;
}

/** The compiled types, each bound to its extractors when it is first met. */
class IndexedTypes implements ParameterTable {
  readonly types: readonly string[];
  revision = 0;
  readonly #compiled: ReadonlyMap<string, CompiledType>;
  #definitions: ReadonlyMap<string, CompiledParameter> | undefined;
  readonly #options: ExtractionOptions;
  readonly #indexed = new Map<string, IndexedType>();
  readonly #added = new Map<string, AddedParameter>();
  #unfinished: ReadonlySet<string> = new Set();

  constructor(definitions: CompiledDefinitions, options: ExtractionOptions) {
    this.#compiled = new Map(Object.entries(definitions.types));
    this.types = [...this.#compiled.keys()];
    this.#options = options;
  }

  isType(name: string): boolean {
    return this.#compiled.has(name);
  }

  find(type: string, code: string): CompiledParameter | undefined {
    return this.#type(type)?.parameters.get(code);
  }

  codes(type: string): readonly string[] {
    return this.listed(type).map((parameter) => parameter.code);
  }

  listed(type: string): readonly SearchParameterInfo[] {
    const indexed = this.#type(type);
    return indexed === undefined ? [] : [...storeParameters, ...indexed.parameters.values()];
  }

  isNamedByUrl(type: string): boolean {
    return this.#type(type)?.named === true;
  }

  canonicalLinks(source: string, code: string, target: string | undefined): readonly CanonicalLink[] {
    return [...(this.#type(source)?.parameters.values() ?? [])]
      .filter((parameter) => code === '*' || code === parameter.code)
      .flatMap((parameter) =>
        (parameter.targets.length === 0 ? this.types : parameter.targets)
          .filter((one) => (target ?? one) === one && this.isNamedByUrl(one))
          .flatMap((one) => canonicalLinks(parameter, one).map((link) => ({ ...link, target: one }))),
      );
  }

  /** A type that is not known is indexed under nothing. */
  entries(resource: FhirResource): readonly IndexEntry[] {
    return this.#type(resource.resourceType)?.extract(resource) ?? [];
  }

  references(resource: FhirResource, code: string, target: string | undefined): readonly string[] {
    const sets = this.#referenceSets(resource.resourceType, code);
    const found = new Set<string>();
    for (const entry of sets.size === 0 ? [] : this.entries(resource)) {
      const only = sets.get(entry.parameter);
      if (entry.kind !== 'reference' || only === undefined || !relative.test(entry.target)) continue;
      const type = entry.target.slice(0, entry.target.indexOf('/'));
      if ((target ?? type) === type && (only === anyType || only === type)) found.add(entry.target);
    }
    return [...found];
  }

  /** The sets in which a reference parameter (or each of them) looks, with the type that it is limited to. */
  #referenceSets(type: string, code: string): ReadonlyMap<string, string> {
    const sets = new Map<string, string>();
    for (const parameter of this.#type(type)?.parameters.values() ?? []) {
      if (!parameter.literal || (code !== '*' && code !== parameter.code)) continue;
      for (const { name, only } of parameter.sets) {
        sets.set(name, only === undefined || sets.has(name) ? anyType : only);
      }
    }
    return sets;
  }

  #type(name: string): IndexedType | undefined {
    const known = this.#indexed.get(name);
    if (known !== undefined) return known;
    const compiled = this.#compiled.get(name);
    if (compiled === undefined) return undefined;
    const indexed = indexedBy([compiled, ...this.#addedTo(name)], this.#options);
    this.#indexed.set(name, indexed);
    return indexed;
  }

  #addedTo(name: string): readonly CompiledType[] {
    return [...this.#added.values()].flatMap(({ types }) =>
      types.filter(([type]) => type === name).map(([, compiled]) => compiled),
    );
  }

  async define(resource: FhirResource): Promise<readonly string[]> {
    if (typeof resource.url === 'string' && this.#defined(resource.url) !== undefined) return [];
    // The compiler is large, and most engines never meet such a resource.
    const { compileAdded } = await import('./definitions/compile-added.ts');
    const added = compileAdded(resource, (url) => this.#defined(url));
    const before = this.#added.get(added.url);
    this.#refuseTaken(added);
    this.#added.set(added.url, added);
    return this.#changed([...added.types, ...(before?.types ?? [])].map(([type]) => type));
  }

  forget(url: string): readonly string[] {
    const added = this.#added.get(url);
    this.#added.delete(url);
    return this.#changed((added?.types ?? []).map(([type]) => type));
  }

  setUnfinished(urls: ReadonlySet<string>): void {
    this.#unfinished = urls;
  }

  /** The parameters for one request, and the codes of those that it has used and that do not find everything yet. */
  watched(): { readonly table: ParameterTable; readonly unfinished: ReadonlySet<string> } {
    const unfinished = this.#unfinished;
    const met = new Set<string>();
    if (unfinished.size === 0) return { table: this, unfinished: met };
    const find = (type: string, code: string): CompiledParameter | undefined => {
      const found = this.find(type, code);
      if (found !== undefined && unfinished.has(found.definition)) met.add(code);
      return found;
    };
    const table = {
      types: this.types,
      isType: (name: string) => this.isType(name),
      find,
      codes: (type: string) => this.codes(type),
      isNamedByUrl: (type: string) => this.isNamedByUrl(type),
    };
    return { table, unfinished: met };
  }

  #changed(types: readonly string[]): readonly string[] {
    this.revision += 1;
    for (const type of types) this.#indexed.delete(type);
    return [...new Set(types)];
  }

  #refuseTaken({ url, code, types }: AddedParameter): void {
    for (const [type] of types) {
      const own = this.listed(type).find((parameter) => parameter.code === code);
      if (own === undefined || own.definition === url) continue;
      throw new Refusal(
        'unprocessable',
        `the SearchParameter cannot be taken in use: ${type} has a search parameter ${code} already, ${own.definition}`,
        'SearchParameter.code',
      );
    }
  }

  /** What R4 itself defines under a URL. */
  #defined(url: string): CompiledParameter | undefined {
    this.#definitions ??= new Map(
      [...this.#compiled.values()].flatMap(({ parameters }) =>
        parameters.map((parameter) => [parameter.definition, parameter] as const),
      ),
    );
    return this.#definitions.get(url);
  }
}

function indexedBy(compiled: readonly CompiledType[], options: ExtractionOptions): IndexedType {
  const [first, ...others] = compiled.map((one) => linkExtraction(one, options));
  if (first === undefined) throw new Error('a type without definitions');
  return {
    named: isNamedByUrl(compiled.flatMap(({ parameters }) => parameters)),
    parameters: new Map(
      compiled.flatMap(({ parameters }) => parameters.map((parameter) => [parameter.code, parameter])),
    ),
    extract:
      others.length === 0
        ? first
        : (resource) => [...first(resource), ...others.flatMap((extract) => extract(resource))],
  };
}

const anyType = '*';
const relative = /^[A-Z][A-Za-z]+\/[^/]+$/;
