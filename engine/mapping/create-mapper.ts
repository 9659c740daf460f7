// The mapper as the other parts use it: loaded from a folder, reloaded without a restart.
import type { Logger } from '../kernel/logger.ts';
import { Refusal } from '../kernel/outcomes.ts';
import { flatGroup } from './groups.ts';
import { TimeZone } from './hl7-time.ts';
import { loadMaps, type Maps } from './load-maps.ts';
import type { AskedQuery, Mapper, QueryReader, Selection } from './mapper.ts';
import type { MessageMap } from './message-map.ts';
import { render, type Outgoing, type ReadReference, type Told } from './outbound/render.ts';
import { askedQuery } from './queries.ts';
import { makePlainly } from './remaking.ts';
import { askFirst, nowhere, runMap, type Surroundings } from './run-map.ts';
import { Scope } from './scope.ts';
import { MapFault } from './source.ts';
import { watchFolders } from './watch-folders.ts';
import type { WireMessage } from './wire-message.ts';

/** What the maps know of the place where they work; each setting is a `$name` in them. */
export interface Facility {
  /** IANA name of the zone in which times without an offset are meant. */
  readonly timeZone: string;
  /** Identifier system of patient numbers that name no authority. */
  readonly patientSystem: string;
  /** Identifier system of the barcodes on sample containers. */
  readonly barcodeSystem: string;
  /** Identifier system of the order numbers that this side assigns (placer). */
  readonly orderSystem: string;
  /** Identifier systems of further numbers that name no authority. */
  readonly visitSystem: string;
  readonly accountSystem: string;
  readonly practitionerSystem: string;
  readonly organizationSystem: string;
  readonly locationSystem: string;
}

export interface MapperOptions {
  /** The folder `mappings`. */
  readonly folder: string;
  /** A folder of the facility's own: files that change shipped maps by name, and further maps and tables. */
  readonly overlays?: string;
  readonly logger: Logger;
  readonly facility?: Partial<Facility>;
  /** How long the folder must have been quiet before it is read again. */
  readonly quietMs?: number;
}

/** Makes messages of resources. */
export interface MessageMaker {
  /** Names of all outbound maps that are loaded. */
  readonly outbound: readonly string[];
  /**
   * Throws Refusal `not-found` for an unknown map; `unprocessable`, saying why, when the map does not tell of this step of the
   * resource, or when what its message must hold is not there.
   */
  render(map: string, told: Told, read: ReadReference): Promise<Outgoing>;
}

export interface ReloadableMapper extends Mapper, MessageMaker, QueryReader {
  /** Reads the folder again. Throws Refusal `unprocessable` with file and line when it cannot be used; the last good maps stay. */
  reload(): Promise<void>;
  /** Reloads when files change; what is wrong is logged. Returns what stops it. */
  watch(): () => void;
}

const defaults: Facility = {
  timeZone: 'Africa/Nairobi',
  patientSystem: 'urn:kiungo:patient-number',
  barcodeSystem: 'urn:kiungo:barcode',
  orderSystem: 'urn:kiungo:order-number',
  visitSystem: 'urn:kiungo:visit-number',
  accountSystem: 'urn:kiungo:account-number',
  practitionerSystem: 'urn:kiungo:practitioner-number',
  organizationSystem: 'urn:kiungo:organization-number',
  locationSystem: 'urn:kiungo:location',
};

/** Throws Refusal `unprocessable` with file and line when the maps cannot be used. */
export async function createMapper(options: MapperOptions): Promise<ReloadableMapper> {
  const mapper = new FolderMapper(options);
  await mapper.reload();
  return mapper;
}

class FolderMapper implements ReloadableMapper {
  readonly #options: MapperOptions;
  readonly #surroundings: Surroundings;
  #maps: Maps = { messages: new Map(), ranked: [], dispositions: [], outbound: new Map(), queries: [] };

  constructor(options: MapperOptions) {
    this.#options = options;
    this.#surroundings = {
      settings: new Map(Object.entries({ ...defaults, ...options.facility })),
      zoneOf: rememberedZones(),
    };
    this.#surroundings.zoneOf(this.#surroundings.settings.get('timeZone') ?? 'Z');
  }

  get maps(): readonly string[] {
    return [...this.#maps.messages.keys()];
  }

  select(message: WireMessage): Selection {
    const scope = this.#flatScope(message);
    const aside = this.#maps.dispositions.find(({ when }) => when(scope));
    if (aside !== undefined) return { kind: 'set-aside', disposition: aside.disposition };
    const map = this.#maps.ranked.find(({ takes }) => takes(scope));
    return map === undefined ? { kind: 'none' } : { kind: 'map', name: map.name };
  }

  questions(...[message, map]: Parameters<Mapper['questions']>): ReturnType<Mapper['questions']> {
    return this.ask(message, map, nowhere).questions;
  }

  ask(...[message, map, context]: Parameters<Mapper['ask']>): ReturnType<Mapper['ask']> {
    return askFirst({ message, context, map: this.#map(map) }, this.#surroundings);
  }

  map(...[message, map, answers, context]: Parameters<Mapper['map']>): ReturnType<Mapper['map']> {
    return runMap({ message, answers, context, map: this.#map(map) }, this.#surroundings);
  }

  query(message: WireMessage): AskedQuery | undefined {
    const { queries } = this.#maps;
    if (queries.length === 0) return undefined;
    const scope = this.#flatScope(message);
    const map = queries.find(({ takes }) => takes(scope));
    return map === undefined ? undefined : askedQuery(message, map, this.#surroundings);
  }

  get outbound(): readonly string[] {
    return [...this.#maps.outbound.keys()];
  }

  async render(...[name, told, read]: Parameters<MessageMaker['render']>): Promise<Outgoing> {
    const map = this.#maps.outbound.get(name);
    if (map === undefined) throw new Refusal('not-found', `there is no outbound map ${name}`);
    const { settings, zoneOf } = this.#surroundings;
    return render(map, told, { settings, read, zone: zoneOf(settings.get('timeZone') ?? 'Z') });
  }

  async reload(): Promise<void> {
    const { folder, overlays } = this.#options;
    try {
      this.#maps = await loadMaps(folder, overlays, [...this.#surroundings.settings.keys()]);
    } catch (error) {
      const fault = faultOf(error);
      if (fault === undefined) throw error;
      throw new Refusal('unprocessable', `the maps cannot be used: ${fault}`);
    }
  }

  watch(): () => void {
    const { folder, overlays, logger, quietMs = 200 } = this.#options;
    return watchFolders(overlays === undefined ? [folder] : [folder, overlays], {
      quietMs,
      changed: () => this.#reloadAndTell(),
      failed: (error) => logger.error({ part: 'mapping' }, 'the maps are no longer watched', error),
    });
  }

  async #reloadAndTell(): Promise<void> {
    const { logger } = this.#options;
    try {
      await this.reload();
      logger.info({ part: 'mapping', maps: this.maps.length }, 'maps read again');
    } catch (error) {
      const text = error instanceof Refusal ? error.message : 'the maps cannot be read';
      logger.error({ part: 'mapping' }, `${text}; the last good maps stay`, error);
    }
  }

  #map(name: string): MessageMap {
    const map = this.#maps.messages.get(name);
    if (map === undefined) throw new Refusal('not-found', `there is no map ${name}`);
    return map;
  }

  /** All segments in one group: to tell what kind of message it is. */
  #flatScope(message: WireMessage): Scope {
    return new Scope(
      {
        message,
        answers: {},
        values: this.#surroundings.settings,
        definitions: new Map(),
        defined: new Map(),
        zoneOf: this.#surroundings.zoneOf,
        nulls: { seen: 0, heeded: false },
        bindable: new Set(),
        around: { looks: 0, watch: undefined },
        makings: makePlainly,
        recorder: undefined,
        occurrence: () => 1,
      },
      flatGroup(message),
    );
  }
}

/** What its author can mend; undefined for a defect. */
function faultOf(error: unknown): string | undefined {
  if (error instanceof MapFault || error instanceof SyntaxError) return error.message;
  const { code, path } = error as NodeJS.ErrnoException;
  return code === undefined || path === undefined ? undefined : `${path} cannot be read (${code})`;
}

/** Throws RangeError for a zone that is not known. */
function rememberedZones(): (name: string) => TimeZone {
  const zones = new Map<string, TimeZone>();
  return (name) => {
    const zone = zones.get(name) ?? new TimeZone(name);
    if (zones.size < 1_000) zones.set(name, zone);
    return zone;
  };
}
