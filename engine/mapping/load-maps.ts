// Reads a folder of maps, checks each file against its schema, and compiles what they say.
import { readFile, readdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { isMap, isSeq } from 'yaml';
import { compileCondition, type Condition } from './language/expression.ts';
import type { Template } from './language/making.ts';
import { compileTemplate, conditionOf, located } from './language/template.ts';
import type { Rows } from './language/tables.ts';
import type { Disposition } from './mapper.ts';
import { compileMessageMap, type MessageMap } from './message-map.ts';
import { applyOverlay, isOverlay } from './overlays.ts';
import { boundByAll, compileResourceMap, type ResourceMap } from './resource-map.ts';
import {
  byName,
  compileAnswers,
  compileOutbound,
  type OutboundMap,
  type OutboundSources,
} from './outbound/outbound-map.ts';
import { compileStructure } from './outbound/structure.ts';
import { compileQueryMap, type QueryMap } from './query-map.ts';
import { MapFault, MapSource, scalarText } from './source.ts';
import { compileSteps, type Step, type StepLibrary } from './steps.ts';

export interface Maps {
  readonly messages: ReadonlyMap<string, MessageMap>;
  /** Highest rank first. */
  readonly ranked: readonly MessageMap[];
  readonly dispositions: readonly { readonly when: Condition; readonly disposition: Disposition }[];
  readonly outbound: ReadonlyMap<string, OutboundMap>;
  readonly queries: readonly QueryMap[];
}

/** Which schema a file answers to, by the folder that it lies in. */
const schemas = [
  [/^hl7v2\/messages\//, 'message'],
  [/^hl7v2\/segments\//, 'resource'],
  [/^hl7v2\/datatypes\//, 'datatype'],
  [/^hl7v2\/steps\//, 'steps'],
  [/^hl7v2\/queries\//, 'query'],
  [/^hl7v2\/dispositions\.yaml$/, 'dispositions'],
  [/^(?:hl7v2\/codesystems|codes)\//, 'table'],
  [/^hl7v2\/outbound\/segments\//, 'outbound-segment'],
  [/^hl7v2\/outbound\/datatypes\//, 'outbound-datatype'],
  [/^hl7v2\/outbound\/answers\//, 'outbound-answer'],
  [/^hl7v2\/outbound\/structures\//, 'outbound-structure'],
  [/^hl7v2\/outbound\/[^/]+\.yaml$/, 'outbound-message'],
] as const;
type Kind = (typeof schemas)[number][1];

/**
 * `overlays`: a folder of files that change shipped maps by name, and of maps and tables of its own. Throws MapFault, with file and line,
 * for the first thing that is wrong.
 */
export async function loadMaps(
  folder: string,
  overlays: string | undefined,
  settings: readonly string[],
): Promise<Maps> {
  const validators = await readSchemas(folder);
  const sources = await readSources(folder, 'mappings');
  const own = overlays === undefined ? new Map<string, MapSource>() : await readSources(overlays, 'overlays');
  for (const [file, source] of own) if (!isOverlay(source)) addOwn(file, source, sources);
  for (const source of own.values()) {
    if (!isOverlay(source)) continue;
    validate(source, validators.get('overlay'));
    applyOverlay(source, sources);
  }
  for (const [file, source] of sources) validate(source, validators.get(kindOf(file) ?? ''));
  return new Compiler(sources).maps(settings);
}

/** `called`: what the folder is called in messages to authors. */
async function readSources(folder: string, called: string): Promise<Map<string, MapSource>> {
  const files = (await readdir(folder, { recursive: true })).map((file) => file.replaceAll('\\', '/'));
  const sources = new Map<string, MapSource>();
  for (const file of files.filter((name) => name.endsWith('.yaml')).toSorted()) {
    sources.set(file, new MapSource(posix.join(called, file), await readFile(join(folder, file), 'utf8')));
  }
  return sources;
}

function addOwn(file: string, source: MapSource, sources: Map<string, MapSource>): void {
  if (sources.has(file)) {
    throw source.fault(
      undefined,
      `mappings/${file} is there already; say what this file changes of it (changes:)`,
    );
  }
  sources.set(file, source);
}

async function readSchemas(folder: string): Promise<ReadonlyMap<string, ValidateFunction>> {
  const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true });
  const names = [...new Set(schemas.map(([, name]) => name)), 'overlay'];
  const read = async (name: string): Promise<object> =>
    JSON.parse(await readFile(join(folder, 'schema', `${name}.schema.json`), 'utf8')) as object;
  for (const shared of ['step-list', 'outbound-filler']) {
    ajv.addSchema(await read(shared), `${shared}.schema.json`);
  }
  const compiled: [string, ValidateFunction][] = [];
  for (const name of names) compiled.push([name, ajv.compile(await read(name))]);
  return new Map(compiled);
}

function validate(source: MapSource, holds: ValidateFunction | undefined): void {
  if (holds === undefined) throw new MapFault(source.file, 'no map lies in this folder');
  if (holds(source.document.toJS())) return;
  const error = deepest(holds.errors ?? []);
  const extra = error?.params['additionalProperty'] as string | undefined;
  const pointer = `${error?.instancePath ?? ''}${extra === undefined ? '' : `/${extra}`}`;
  throw new MapFault(source.atPointer(pointer), `${pointer} ${error?.message ?? 'is not right'}`.trim());
}

/** Where a value may be of several kinds, the fault is the one that was met farthest inside. */
const deepest = (errors: readonly ErrorObject[]): ErrorObject | undefined =>
  errors.toSorted((one, other) => depth(other) - depth(one))[0];

const depth = ({ instancePath, keyword }: ErrorObject): number =>
  instancePath.split('/').length + (keyword === 'propertyNames' || keyword === 'pattern' ? 0.5 : 0);

const kindOf = (file: string): Kind | undefined => schemas.find(([pattern]) => pattern.test(file))?.[1];

/** Compiles each file once, when first asked for; whoever asks in a circle is told. */
class Compiler implements StepLibrary {
  readonly #sources: ReadonlyMap<string, MapSource>;
  readonly #done = new Map<string, unknown>();
  readonly #under = new Set<string>();
  readonly #bindable = new Set<string>(boundByAll);

  constructor(sources: ReadonlyMap<string, MapSource>) {
    this.#sources = sources;
  }

  get bindable(): ReadonlySet<string> {
    return this.#bindable;
  }

  binds(name: string): void {
    this.#bindable.add(name);
  }

  maps(settings: readonly string[]): Maps {
    const all = [...this.#sources.keys()];
    for (const file of all) this.#compileAny(file);
    const messages = all
      .filter((file) => kindOf(file) === 'message')
      .map((file) => this.#message(nameOf(file)));
    return {
      messages: new Map(messages.map((map) => [map.name, map])),
      ranked: messages.toSorted((one, other) => other.rank - one.rank),
      dispositions: this.#dispositions(),
      outbound: this.#outbound(settings),
      queries: this.#queries(settings),
    };
  }

  #queries(settings: readonly string[]): Maps['queries'] {
    const answers = byName(
      compileAnswers(this.#sourcesOf('outbound-answer'), this.#outboundSources(settings)),
    );
    return this.#sourcesOf('query').map((source) => compileQueryMap(source, this, answers));
  }

  #outbound(settings: readonly string[]): Maps['outbound'] {
    return byName(compileOutbound(this.#sourcesOf('outbound-message'), this.#outboundSources(settings)));
  }

  #sourcesOf(kind: Kind): readonly MapSource[] {
    return [...this.#sources].flatMap(([file, source]) => (kindOf(file) === kind ? [source] : []));
  }

  #outboundSources(settings: readonly string[]): OutboundSources {
    return {
      settings,
      rows: (table) => this.rows(table),
      source: (file) => this.#source(file),
      structures: byName(this.#sourcesOf('outbound-structure').map(compileStructure)),
    };
  }

  template(name: string): Template {
    return this.#once(`hl7v2/datatypes/${name}.yaml`, (source) =>
      compileTemplate(source.document.get('elements', true), source, this),
    );
  }

  resource(name: string): ResourceMap {
    return this.#once(`hl7v2/segments/${name}.yaml`, (source) => compileResourceMap(source, this));
  }

  steps(name: string): readonly Step[] {
    return this.#once(`hl7v2/steps/${name}.yaml`, (source) =>
      compileSteps(source.document.get('steps', true), source, this),
    );
  }

  rows(name: string): Rows {
    const files = [`hl7v2/codesystems/${name}.yaml`, `codes/${name}.yaml`];
    const file = files.find((candidate) => this.#sources.has(candidate)) ?? `codes/${name}.yaml`;
    return this.#once(file, rowsOf);
  }

  /** Files that nothing refers to are checked all the same. */
  #compileAny(file: string): void {
    const name = nameOf(file);
    const kind = kindOf(file);
    if (kind === 'datatype') this.template(name);
    else if (kind === 'resource') this.resource(name);
    else if (kind === 'steps') this.steps(name);
    else if (kind === 'table') this.rows(name);
  }

  #message(name: string): MessageMap {
    return this.#once(`hl7v2/messages/${name}.yaml`, (source) => {
      const extended = source.document.get('extends', true);
      const base = scalarText(extended);
      const extendedMap =
        base === undefined ? undefined : located(extended, source, () => this.#message(base));
      return compileMessageMap(source, extendedMap, this);
    });
  }

  #dispositions(): Maps['dispositions'] {
    return this.#once('hl7v2/dispositions.yaml', (source) => {
      const rows = source.document.get('dispositions', true);
      if (!isSeq(rows)) return [];
      return rows.items.filter(isMap).map((row) => ({
        when: conditionOf(row.get('when', true), source, this) ?? compileCondition("'x'", this),
        disposition: {
          code: scalarText(row.get('code', true)) ?? '',
          text: scalarText(row.get('text', true)) ?? '',
        },
      }));
    });
  }

  #once<T>(file: string, compile: (source: MapSource) => T): T {
    if (this.#done.has(file)) return this.#done.get(file) as T;
    const source = this.#source(file);
    if (this.#under.has(file)) throw new SyntaxError(`mappings/${file} includes itself`);
    this.#under.add(file);
    const compiled = compile(source);
    this.#under.delete(file);
    this.#done.set(file, compiled);
    return compiled;
  }

  #source(file: string): MapSource {
    const source = this.#sources.get(file);
    if (source === undefined) throw new SyntaxError(`there is no mappings/${file}`);
    return source;
  }
}

const nameOf = (file: string): string => posix.basename(file, '.yaml');

function rowsOf(source: MapSource): Rows {
  const rows = source.document.toJS() as { readonly rows: Readonly<Record<string, unknown>> };
  return new Map(Object.entries(rows.rows));
}
