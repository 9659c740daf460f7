// JSON bodies of the admin routes, checked against a schema before anything reads them.
import { Ajv, type JSONSchemaType, type ValidateFunction } from 'ajv';
import { parseJson } from '../../fhir/exact-json.ts';
import type { HttpRequest } from '../../kernel/http-route.ts';
import { badRequest } from '../../kernel/outcomes.ts';

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

function readBody<T>({ body }: HttpRequest, isValid: ValidateFunction<T>): T {
  const value = parseJson(Buffer.from(body).toString('utf8'));
  if (isValid(value)) return value;
  throw badRequest(ajv.errorsText(isValid.errors, { dataVar: 'body' }));
}
