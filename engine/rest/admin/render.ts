// The admin API over outbound maps: what one makes of a stored resource, and why. Nothing is stored or sent.
import { parseResource } from '../../fhir/exact-json.ts';
import { parseReference } from '../../fhir/references.ts';
import type { FhirResource } from '../../fhir/resource.ts';
import type { HttpAnswer, HttpRequest, HttpRoute } from '../../kernel/http-route.ts';
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import type { MessageMaker } from '../../mapping/create-mapper.ts';
import type { Formats } from '../../messages/formats.ts';
import type { ReadsResources, Repository } from '../../repository/repository.ts';
import { readRendering } from './body.ts';
import { admitNames } from './query.ts';

export interface RenderRoutesOptions {
  readonly mapper: MessageMaker;
  readonly formats: Formats;
  readonly repository: Pick<Repository, 'as'>;
}

export function renderRoutes(options: RenderRoutesOptions): readonly HttpRoute[] {
  return [
    {
      method: 'POST',
      path: '/admin/mappings/$render',
      access: 'admin',
      handle: (request) => renderOne(request, options),
    },
  ];
}

/** `{ type, controlId, text, trace }`, of what the asking person may see. */
async function renderOne(
  request: HttpRequest,
  { mapper, formats, repository }: RenderRoutesOptions,
): Promise<HttpAnswer> {
  admitNames(request.query, ['map']);
  const map = request.query.get('map');
  if (map === null) throw badRequest(`name a map with ?map=: ${mapper.outbound.join(', ')}`, 'map');
  const asked = readRendering(request);
  const reader = repository.as(request.actor);
  const told = {
    resource: await stored(asked.resource, reader),
    previous:
      asked.previous === undefined ? undefined : await earlier(asked.resource, asked.previous, reader),
    ...(asked.receiver === undefined ? {} : { receiver: asked.receiver }),
  };
  const { segments, ...made } = await mapper.render(map, told, (reference) => known(reference, reader));
  const text = formats.of('application/hl7-v2').renderMessage?.(segments);
  return { status: 200, body: { ...made, text: Buffer.from(text ?? []).toString('utf8') } };
}

/** Throws Refusal `bad-request` for what is no reference to a resource here, `not-found`, `gone`. */
async function stored(reference: string, reader: ReadsResources): Promise<FhirResource> {
  const parsed = parseReference(reference);
  if (parsed.kind !== 'relative') throw badRequest('a resource is named as Patient/1', 'resource');
  const { type, id, version } = parsed;
  const { body } = await (version === undefined
    ? reader.read(type, id)
    : reader.readVersion(type, id, version));
  if (body === undefined) throw new Refusal('gone', 'this version is a deletion');
  return parseResource(body);
}

async function earlier(reference: string, version: string, reader: ReadsResources): Promise<FhirResource> {
  const [type = '', id = ''] = reference.split('/');
  return stored(`${type}/${id}/_history/${version}`, reader);
}

/** What is not here, or may not be seen, is not told. */
async function known(reference: string, reader: ReadsResources): Promise<FhirResource | undefined> {
  if (parseReference(reference).kind !== 'relative') return undefined;
  try {
    return await stored(reference, reader);
  } catch (error) {
    const absent = error instanceof Refusal && ['not-found', 'gone', 'forbidden'].includes(error.code);
    if (absent) return undefined;
    throw error;
  }
}
