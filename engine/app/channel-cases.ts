// `kiungo channels test`: what a channel makes of messages, shown by cases in YAML, without network and without
// touching the hospital's store.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Ajv, type JSONSchemaType } from 'ajv';
import { parse as parseYaml } from 'yaml';
import { hl7Format } from '../../adapters/hl7/format.ts';
import { parseResource } from '../fhir/exact-json.ts';
import type { FhirResource } from '../fhir/resource.ts';
import { engineActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import { silentLogger } from '../kernel/logger.ts';
import { badRequest } from '../kernel/outcomes.ts';
import { createMapper } from '../mapping/create-mapper.ts';
import type { Mapper } from '../mapping/mapper.ts';
import { compileChannel } from '../messages/channels/compile-channel.ts';
import { readChannel } from '../messages/channels/read-channel.ts';
import { createFormats } from '../messages/formats.ts';
import { createInbox } from '../messages/inbox.ts';
import { createProcessor } from '../messages/processor.ts';
import { createRepository } from '../repository/create-repository.ts';
import { loadSearchIndex } from '../search/load-index.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { Store } from '../storage/store.ts';
import { openSqliteStore } from '../storage/sqlite/open.ts';
import { mismatch } from './mismatch.ts';

interface Case {
  readonly case: string;
  /** The channel itself, or the path of its file from the case's. */
  readonly channel: string | object;
  readonly given?: readonly object[];
  /** The message; line breaks become segment ends. */
  readonly when: string;
  readonly then: Expectation;
}

/** What is not named is not looked at. */
interface Expectation {
  /** MSA-1; `none` where none is owed. */
  readonly acknowledgement?: string;
  readonly state?: string;
  readonly reason?: string;
  /** Each is part of a resource that the message caused. */
  readonly resources?: readonly object[];
  /** All that are made, in order. */
  readonly deliveries?: readonly { readonly destination: string; readonly contains?: readonly string[] }[];
}

const text = { type: 'string', nullable: true } as const;
const objects = { type: 'array', items: { type: 'object' }, nullable: true } as const;
const schema: JSONSchemaType<Case> = {
  type: 'object',
  required: ['case', 'channel', 'when', 'then'],
  additionalProperties: false,
  properties: {
    case: { type: 'string' },
    channel: { anyOf: [{ type: 'string' }, { type: 'object', required: [] }] },
    given: objects,
    when: { type: 'string' },
    then: {
      type: 'object',
      additionalProperties: false,
      properties: {
        acknowledgement: text,
        state: text,
        reason: text,
        resources: objects,
        deliveries: {
          type: 'array',
          nullable: true,
          items: {
            type: 'object',
            required: ['destination'],
            additionalProperties: false,
            properties: {
              destination: { type: 'string' },
              contains: { type: 'array', items: { type: 'string' }, nullable: true },
            },
          },
        },
      },
    },
  },
};

const ajv = new Ajv({ allErrors: true });
const isCase = ajv.compile(schema);

export interface CaseParts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly mappings: string;
  /** The hospital's own, over them. */
  readonly overlays?: string;
  readonly timeZone: string;
}

/** Writes a line for each case, and under it what does not hold. Answers how many do not. Throws Refusal for what is no case. */
export async function runCaseFiles(
  paths: readonly string[],
  parts: CaseParts,
  write: (line: string) => void,
): Promise<number> {
  const mapper = await createMapper({
    folder: parts.mappings,
    ...(parts.overlays === undefined ? {} : { overlays: parts.overlays }),
    logger: silentLogger,
    facility: { timeZone: parts.timeZone },
  });
  const index = loadSearchIndex();
  let failed = 0;
  for (const file of paths.flatMap(filesIn)) {
    for (const one of readCases(file)) {
      const problems = await runCase(one, file, { ...parts, mapper, index });
      write(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${one.case}`);
      for (const problem of problems) write(`     ${problem}`);
      if (problems.length > 0) failed += 1;
    }
  }
  return failed;
}

/** Throws Refusal `bad-request` for a folder without any: nothing held is no test. */
function filesIn(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => /\.ya?ml$/.test(name));
  if (names.length === 0) throw badRequest(`${path}: there are no cases (*.yaml) in this folder`);
  return names.sort().map((name) => join(path, name));
}

/** A file holds a case, or a list of them. */
function readCases(file: string): readonly Case[] {
  const content: unknown = parseYaml(readFileSync(file, 'utf8'));
  return (Array.isArray(content) ? content : [content]).map((value: unknown) => {
    if (isCase(value)) return value;
    throw badRequest(`${file}: ${ajv.errorsText(isCase.errors, { dataVar: 'the case' })}`);
  });
}

type RunParts = CaseParts & { readonly mapper: Mapper; readonly index: SearchIndex };

async function runCase(one: Case, file: string, parts: RunParts): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kiungo-case-'));
  const store = await openSqliteStore({
    file: join(folder, 'case.sqlite'),
    clock: parts.clock,
    logger: silentLogger,
  });
  try {
    return await play(one, channelOf(one, file), store, parts);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

function channelOf({ channel }: Case, file: string): ReturnType<typeof readChannel> {
  if (typeof channel !== 'string') return readChannel(channel, file);
  const path = resolve(dirname(file), channel);
  return readChannel(parseYaml(readFileSync(path, 'utf8')), path);
}

async function play(
  { given = [], when, then }: Case,
  channel: ReturnType<typeof readChannel>,
  store: Store,
  { clock, ids, mapper, index }: RunParts,
): Promise<readonly string[]> {
  const settings = compileChannel(channel);
  const parts = { store, clock, ids, index, logger: silentLogger, settingsOf: () => settings };
  const repository = createRepository({ ...parts, base: () => 'http://localhost/fhir/R4' });
  const formats = createFormats([hl7Format]);
  for (const resource of given as readonly FhirResource[]) {
    if (resource.id === undefined) await repository.as(engineActor).create(resource);
    else await repository.as(engineActor).update(resource);
  }
  const processor = createProcessor({ ...parts, repository, messages: store.messages, formats, mapper });
  const inbox = createInbox({ ...parts, formats, wake: () => processor.wake() });
  const raw = Buffer.from(when.trimEnd().replace(/\r?\n/g, '\r') + '\r');
  const arrival = { channel: channel.name, peer: 'case', mediaType: 'application/hl7-v2', raw };
  const { messageId, answers } = await inbox.receive(arrival);
  processor.start();
  await untilProcessed(messageId, store);
  await processor.stop();
  await inbox.stop();
  return [...acknowledgementProblems(then, answers), ...(await effectProblems(then, messageId, store))];
}

async function untilProcessed(id: string, store: Store): Promise<void> {
  while ((await store.messages.message(id))?.state === 'received') {
    await new Promise((wait) => setTimeout(wait, 2));
  }
}

function acknowledgementProblems(
  { acknowledgement }: Expectation,
  answers: readonly Uint8Array[],
): readonly string[] {
  const codes = answers.map(
    (answer) => /\rMSA.(\w+)/.exec(Buffer.from(answer).toString('latin1'))?.[1] ?? '?',
  );
  return differs('acknowledgement', acknowledgement, codes.join(' ') || 'none');
}

const payloadOf = async (id: string, store: Store): Promise<string> =>
  Buffer.from((await store.messages.delivery(id))?.payload ?? []).toString();

async function effectProblems(then: Expectation, id: string, store: Store): Promise<readonly string[]> {
  const message = await store.messages.message(id);
  const { items } = await store.messages.deliveries({ cause: id, limit: 500, offset: 0 });
  const resources: FhirResource[] = [];
  for (const effect of message?.effects ?? []) {
    const [type = '', resourceId = ''] = effect.split('/');
    const body = (await store.resources.read(type, resourceId))?.body;
    if (body !== undefined) resources.push(parseResource(body));
  }
  const missing = (then.resources ?? []).flatMap((expected) => missingResource(expected, resources));
  const sent = items.map(({ destination }) => destination.slice(destination.indexOf('.') + 1));
  const wanted = then.deliveries?.map(({ destination }) => destination);
  const payloads = await Promise.all(items.map(({ id: sentId }) => payloadOf(sentId, store)));
  const contents = (then.deliveries ?? []).flatMap(({ destination, contains = [] }, at) => {
    const payload = payloads[at] ?? '';
    return contains
      .filter((part) => !payload.includes(part))
      .map((part) => `delivery to ${destination} lacks: ${part}`);
  });
  return [
    ...differs('state', then.state, message?.state),
    ...differs('reason', then.reason, message?.reason?.code),
    ...missing,
    ...differs('deliveries', wanted?.join(', '), sent.join(', ')),
    ...contents,
  ];
}

const differs = (what: string, expected: string | undefined, found: string | undefined): readonly string[] =>
  expected === undefined || expected === found
    ? []
    : [`${what}: expected ${expected}, found ${found ?? 'nothing'}`];

/** Says how the likest resource of its type differs. */
function missingResource(expected: object, resources: readonly FhirResource[]): readonly string[] {
  const { resourceType } = expected as { readonly resourceType?: string };
  const alike = resources.filter((resource) => resource.resourceType === resourceType);
  const problems = alike.map((resource) => mismatch(expected, resource));
  if (problems.includes(undefined)) return [];
  const told =
    problems[0] === undefined ? 'the message made none' : `in the first of ${alike.length}, ${problems[0]}`;
  return [`no ${resourceType ?? 'resource'} as expected: ${told}`];
}
