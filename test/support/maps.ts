// Maps messages as the engine does, with the maps that are shipped.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import { hl7Format } from '../../adapters/hl7/format.ts';
import type { FhirResource } from '../../engine/fhir/resource.ts';
import { silentLogger } from '../../engine/kernel/logger.ts';
import { createMapper, type ReloadableMapper } from '../../engine/mapping/create-mapper.ts';
import type { Answers, MapContext, MapResult } from '../../engine/mapping/mapper.ts';
import type { WireMessage } from '../../engine/mapping/wire-message.ts';

export const shippedMapper = (): Promise<ReloadableMapper> =>
  createMapper({ folder: resolve('mappings'), logger: silentLogger });

export const context: MapContext = {
  messageId: '0197a000-0000-7000-8000-000000000001',
  receivedAt: Date.parse('2026-03-20T06:00:00Z'),
  channel: 'lab',
};

export function parse(raw: Uint8Array | string): WireMessage {
  const { message } = hl7Format.parse(typeof raw === 'string' ? Buffer.from(raw) : raw);
  if (message === undefined) throw new Error('this is no message');
  return message;
}

/** Lines as segments. */
export const hl7 = (...segments: readonly string[]): string => `${segments.join('\r')}\r`;

/** By the map that the message gets. */
export function mapMessage(
  mapper: ReloadableMapper,
  raw: Uint8Array | string,
  answers: Answers = {},
  where: MapContext = context,
): MapResult {
  const message = parse(raw);
  const selection = mapper.select(message);
  if (selection.kind !== 'map') throw new Error(`the message gets no map: ${JSON.stringify(selection)}`);
  return mapper.map(message, selection.name, answers, where);
}

/** The resources as JSON readers see them: raw numbers become numbers. */
export const resourcesOf = (bundle: Bundle | undefined): readonly Resource[] =>
  (JSON.parse(JSON.stringify(bundle ?? { entry: [] })) as Bundle).entry?.flatMap(({ resource }) =>
    resource === undefined ? [] : [resource],
  ) ?? [];

export function ofType<K extends Resource['resourceType']>(
  bundle: Bundle | undefined,
  type: K,
): readonly Extract<Resource, { resourceType: K }>[] {
  return resourcesOf(bundle).filter(
    (resource): resource is Extract<Resource, { resourceType: K }> => resource.resourceType === type,
  );
}

export interface Golden {
  readonly name: string;
  readonly raw: Buffer;
  readonly answers: Answers;
  readonly expectedFile: string;
}

const folder = resolve('test/golden/hl7v2');

/** Every pair of test/golden/hl7v2; `NAME.answers.json` holds what is known beforehand, by question. */
export function goldenPairs(): readonly Golden[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.hl7'))
    .toSorted()
    .map((file) => {
      const name = basename(file, '.hl7');
      return {
        name,
        raw: readFileSync(resolve(folder, file)),
        answers: answersOf(resolve(folder, `${name}.answers.json`)),
        expectedFile: resolve(folder, `${name}.fhir.json`),
      };
    });
}

function answersOf(file: string): Answers {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, FhirResource[]>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}
