// Makes messages of resources as the engine does, with the maps that are shipped.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { hl7Format } from '../../adapters/hl7/format.ts';
import { parseJson } from '../../engine/fhir/exact-json.ts';
import type { FhirResource } from '../../engine/fhir/resource.ts';
import type { MessageMaker } from '../../engine/mapping/create-mapper.ts';
import type { ReadReference, Told } from '../../engine/mapping/outbound/render.ts';

/** What a file of test/golden/hl7v2-out holds; `known`: what references lead to. */
export interface OutboundCase {
  readonly map: string;
  readonly resource: FhirResource;
  readonly previous?: FhirResource;
  readonly known: readonly FhirResource[];
}

const folder = resolve('test/golden/hl7v2-out');

export const outboundNames: readonly string[] = readdirSync(folder)
  .filter((file) => file.endsWith('.fhir.json'))
  .map((file) => basename(file, '.fhir.json'))
  .toSorted();

export const outboundCase = (name: string): OutboundCase =>
  parseJson(readFileSync(resolve(folder, `${name}.fhir.json`), 'utf8')) as OutboundCase;

export const expectedFile = (name: string): string => resolve(folder, `${name}.hl7`);

export const readFrom =
  (known: readonly FhirResource[]): ReadReference =>
  (reference) =>
    Promise.resolve(known.find(({ resourceType, id = '' }) => reference === `${resourceType}/${id}`));

/** The message as text. */
export async function textOf(mapper: MessageMaker, asked: OutboundCase): Promise<string> {
  const { resource, previous } = asked;
  const told: Told = { resource, previous };
  const { segments } = await mapper.render(asked.map, told, readFrom(asked.known));
  return Buffer.from(hl7Format.renderMessage?.(segments) ?? []).toString('utf8');
}
