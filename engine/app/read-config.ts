// Reads the settings once, from the environment or kiungo.yaml; the environment wins. The only reader of the environment.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { settings, type SettingKey } from './config.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface Config {
  readonly bind: string;
  readonly httpPort: number;
  readonly mllpPort: number;
  /** Absolute. */
  readonly data: string;
  readonly store: string;
  /** Without a trailing slash; undefined: made from what the engine listens on. */
  readonly publicUrl: string | undefined;
  readonly trustProxy: readonly string[] | undefined;
  readonly corsOrigins: readonly string[] | undefined;
  readonly adminClientId: string | undefined;
  readonly adminClientSecret: string | undefined;
  readonly logLevel: LogLevel;
  readonly mllpCharset: string;
  readonly mllpAllow: readonly string[] | undefined;
  readonly timeZone: string;
  /** Absolute; undefined: the shipped ones. */
  readonly mappings: string | undefined;
  /** Absolute. */
  readonly mapOverlays: string | undefined;
  readonly destinations: readonly Destination[];
  readonly referentialIntegrity: boolean;
  readonly reindex: boolean;
  /** Absolute. */
  readonly channels: string | undefined;
  readonly alertWebhook: string | undefined;
  readonly alertEmail: readonly string[] | undefined;
  readonly smtpUrl: string | undefined;
  readonly smtpFrom: string | undefined;
  readonly otelEndpoint: string | undefined;
  readonly maxMessageBytes: number;
  readonly maxBinaryBytes: number;
  /** Absolute. */
  readonly archive: string | undefined;
  readonly retentionDays: number;
}

/** Every bad or unknown setting at once, each with what to do about it. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`The settings cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** A place that the outbox hands things out to: `mllp://host:port` or `file:folder` (under the data folder when relative). */
export interface Destination {
  readonly name: string;
  readonly url: string;
}

type Given = Readonly<Record<string, string | undefined>>;
type Reader = (text: string) => unknown;

/** Thrown by the readers below; collected with the setting's name before it. */
const bad = (expected: string): never => {
  throw new TypeError(expected);
};

function whole(text: string, low: number, high: number): number {
  const value = Number(text);
  const fits = /^\d+$/.test(text) && value >= low && value <= high;
  return fits ? value : bad(`a whole number from ${low} to ${high}`);
}

function url(text: string): string {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  const plain =
    parsed !== undefined && /^https?:$/.test(parsed.protocol) && parsed.search === '' && parsed.hash === '';
  return plain
    ? text.replace(/\/+$/, '')
    : bad('a URL that begins with http:// or https:// and has no query');
}

function destination(text: string): Destination {
  const [, name, where] = /^\s*([a-z][a-z0-9-]*)=((?:mllp:\/\/[^/\s]+:\d+|file:[^\s]+))\s*$/.exec(text) ?? [];
  if (name === undefined || where === undefined) {
    return bad('name=mllp://host:port or name=file:folder, separated by commas');
  }
  return { name, url: where };
}

function address(text: string): string {
  const trimmed = text.trim();
  return /^[^\s@<>,]{1,64}@[^\s@<>,]{1,255}$/.test(trimmed)
    ? trimmed
    : bad('addresses like ict@hospital.example, separated by commas');
}

function origin(text: string): string {
  const trimmed = text.trim();
  const parsed = URL.parse(trimmed);
  const isOrigin = parsed !== null && /^https?:$/.test(parsed.protocol) && parsed.origin === trimmed;
  return isOrigin || trimmed === '*' ? trimmed : bad('origins like https://app.example, or *');
}

function oneOf(text: string, choices: readonly string[]): string {
  return choices.includes(text) ? text : bad(`one of ${choices.join(', ')}`);
}

const readers = {
  text: (text) => text,
  port: (text) => whole(text, 0, 65_535),
  switch: (text) => oneOf(text, ['on', 'off']) === 'on',
  whole: (text) => whole(text, 1, Number.MAX_SAFE_INTEGER),
  url,
  folder: (text) => resolve(text),
  store: (text) =>
    text === 'sqlite' || /^mongodb(\+srv)?:\/\//.test(text) ? text : bad('sqlite, or a mongodb:// URL'),
  level: (text) => oneOf(text, ['debug', 'info', 'warn', 'error']),
  zone: (text) =>
    Intl.supportedValuesOf('timeZone').includes(text) || text === 'UTC'
      ? text
      : bad('a time zone such as Africa/Nairobi'),
  destinations: (text) => text.split(',').map(destination),
  webhook: (text) =>
    /^https?:$/.test(URL.parse(text)?.protocol ?? '')
      ? text
      : bad('a URL that begins with http:// or https://'),
  smtp: (text) =>
    /^smtps?:$/.test(URL.parse(text)?.protocol ?? '') && URL.parse(text)?.hostname !== ''
      ? text
      : bad('a URL that begins with smtp:// or smtps://'),
  addresses: (text) => text.split(',').map(address),
  origins: (text) => text.split(',').map(origin),
  hosts: (text) => text.split(',').map((host) => host.trim()),
} satisfies Record<(typeof settings)[SettingKey]['kind'], Reader>;

/** The settings of a kiungo.yaml: a flat map from setting name to value. */
function readFile(path: string): Given {
  if (!existsSync(path)) return {};
  const content: unknown = parseYaml(readFileSync(path, 'utf8')) ?? {};
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new ConfigError([`${path} must be a list of lines like KIUNGO_HTTP_PORT: 8080`]);
  }
  return Object.fromEntries(Object.entries(content).map(([name, value]) => [name, String(value)]));
}

/**
 * Reads the settings. `environment` is the process's; `file` the path of kiungo.yaml.
 * @throws ConfigError naming every setting that is unknown or cannot be used.
 */
export function readConfig(environment: Given, file: string): Config {
  const given: Given = { ...readFile(file), ...onlyOurs(environment) };
  const problems = unknownNames(given);
  const values = Object.entries(settings).map(([key, setting]) => {
    const text = given[setting.name] ?? setting.byDefault;
    if (text === undefined) return [key, undefined];
    try {
      return [key, readers[setting.kind](text)];
    } catch (error) {
      problems.push(`${setting.name}: ${(error as Error).message} is expected. ${setting.sentence}`);
      return [key, undefined];
    }
  });
  if (problems.length > 0) throw new ConfigError(problems);
  const config = Object.fromEntries(values) as Config;
  const contradicted = contradictions(config);
  if (contradicted.length > 0) throw new ConfigError(contradicted);
  return config;
}

/** What other tools name too; our own name wins. https://opentelemetry.io/docs/specs/otel/protocol/exporter/ */
const namesOfOthers: Readonly<Record<string, string>> = {
  OTEL_EXPORTER_OTLP_ENDPOINT: 'KIUNGO_OTEL_ENDPOINT',
};

function onlyOurs(environment: Given): Given {
  const given = Object.entries(environment).filter(([, value]) => value !== '');
  const others = given.flatMap(([name, value]) =>
    Object.hasOwn(namesOfOthers, name) ? [[namesOfOthers[name], value]] : [],
  );
  const ours = given.filter(([name]) => name.startsWith('KIUNGO_'));
  return Object.fromEntries([...others, ...ours]) as Given;
}

function unknownNames(given: Given): string[] {
  const known = new Set<string>(Object.values(settings).map((setting) => setting.name));
  return Object.keys(given)
    .filter((name) => !known.has(name))
    .map((name) => `${name} is not a setting. The settings are in docs/configuration.md.`);
}

function contradictions(config: Config): string[] {
  const problems: string[] = [];
  if ((config.adminClientId === undefined) !== (config.adminClientSecret === undefined)) {
    problems.push('KIUNGO_ADMIN_CLIENT_ID and KIUNGO_ADMIN_CLIENT_SECRET are set together or not at all.');
  }
  if (config.adminClientSecret !== undefined && config.adminClientSecret.length < 16) {
    problems.push('KIUNGO_ADMIN_CLIENT_SECRET: 16 characters or more are expected.');
  }
  if (config.alertEmail !== undefined && (config.smtpUrl === undefined || config.smtpFrom === undefined)) {
    problems.push('KIUNGO_ALERT_EMAIL needs KIUNGO_SMTP_URL and KIUNGO_SMTP_FROM.');
  }
  if (config.store.startsWith('mongodb')) {
    problems.push(
      'KIUNGO_STORE: this release keeps its data in SQLite only; leave the setting out, or set it to sqlite.',
    );
  }
  return problems;
}
