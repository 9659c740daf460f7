// JSON bodies of the admin routes, checked against a schema before anything reads them.
import { Ajv, type JSONSchemaType, type ValidateFunction } from 'ajv';
import { parseJson } from '../../fhir/exact-json.ts';
import type { HttpRequest } from '../../kernel/http-route.ts';
import { badRequest } from '../../kernel/outcomes.ts';
import type { Composition } from '../../messages/compose.ts';

const ajv = new Ajv();

/** Why a person discards something. */
export interface Discard {
  readonly reason: string;
}

const discardSchema: JSONSchemaType<Discard> = {
  type: 'object',
  properties: { reason: { type: 'string', minLength: 1, maxLength: 500 } },
  required: ['reason'],
  additionalProperties: false,
};

const isDiscard = ajv.compile(discardSchema);

/** Throws Refusal `bad-request` unless the body is `{ "reason": "…" }`. */
export const readDiscard = (request: HttpRequest): Discard => readBody(request, isDiscard);

/** What is to be made a message of. */
type Rendering = Omit<Composition, 'map'>;

const name = { type: 'string', maxLength: 180, nullable: true } as const;
const renderingSchema: JSONSchemaType<Rendering> = {
  type: 'object',
  properties: {
    resource: { type: 'string', minLength: 1, maxLength: 200 },
    previous: { type: 'string', pattern: '^[A-Za-z0-9.-]{1,64}$', nullable: true },
    receiver: {
      type: 'object',
      properties: { application: name, facility: name },
      additionalProperties: false,
      nullable: true,
    },
  },
  required: ['resource'],
  additionalProperties: false,
};

const isRendering = ajv.compile(renderingSchema);

/** Throws Refusal `bad-request` unless the body is `{ "resource": "ServiceRequest/1", … }`. */
export const readRendering = (request: HttpRequest): Rendering => readBody(request, isRendering);

function readBody<T>({ body }: HttpRequest, isValid: ValidateFunction<T>): T {
  const value = parseJson(Buffer.from(body).toString('utf8'));
  if (isValid(value)) return value;
  throw badRequest(ajv.errorsText(isValid.errors, { dataVar: 'body' }));
}
