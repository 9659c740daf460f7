// The way of every request through the server: who asks, whether they may, the answer, or what went wrong. Express hands the requests
// over; nothing of it is needed here.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { adminScope } from '../auth/scopes.ts';
import type { Auth, Authentication } from '../auth/create-auth.ts';
import type { Actor } from '../kernel/actor.ts';
import type { BodyStream, HttpAnswer, HttpRoute } from '../kernel/http-route.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { Tracer } from '../kernel/tracer.ts';
import { isStream, send, sendStream, type Sending } from './answer.ts';
import { presentedRefusal, type FormatParts } from './answer-format.ts';
import { compressed, isToCompress } from './compression.ts';
import { correlationOf } from './correlation.ts';
import type { Metrics } from './metrics.ts';
import { rootOf } from './forwarded.ts';
import { answerFailure } from './refusal-answer.ts';
import { endWhenStalled } from './stalled.ts';

export interface EndpointParts {
  readonly auth: Auth;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly formats: FormatParts;
  /** Without it nothing is traced. */
  readonly tracer?: Tracer | undefined;
  /** The URL by which a request came, as far as that is known; without a slash at its end. */
  readonly publicUrl: (request: IncomingMessage) => string;
  /** Whether the server is stopping: connections are then closed after their answer. */
  readonly stopping: () => boolean;
  /** How long a client may stand still, ms. */
  readonly stallMs: number;
}

export interface Endpoint {
  /** Names it in metrics and logs: an interaction or a route, never a url. */
  readonly name: string;
  readonly access: HttpRoute['access'];
  answer(incoming: Incoming): Promise<HttpAnswer>;
}

/** A request that was let in. */
export interface Incoming {
  readonly request: IncomingMessage & { readonly originalUrl?: string };
  readonly params: Readonly<Record<string, string>>;
  readonly actor: Actor;
  readonly correlationId: string;
}

const nobody: Actor = { kind: 'client', id: 'anonymous', scopes: [] };

/** Answers a request; never rejects. */
export async function serve(
  parts: EndpointParts,
  endpoint: Endpoint,
  request: Incoming['request'],
  response: ServerResponse,
  params: Readonly<Record<string, string>>,
): Promise<void> {
  const { tracer } = parts;
  if (tracer === undefined) {
    await answerRequest(parts, endpoint, request, response, params);
    return;
  }
  const { traceparent } = request.headers;
  const parent = typeof traceparent === 'string' ? traceparent : undefined;
  const facts = { 'http.request.method': request.method ?? '', 'kiungo.interaction': endpoint.name };
  await tracer.span(endpoint.name, { kind: 'server', facts, parent }, async (span) => {
    const status = await answerRequest(parts, endpoint, request, response, params);
    span.note({ 'http.response.status_code': status });
    if (status >= 500) span.fail(String(status));
  });
}

/** The status with which it was answered. */
async function answerRequest(
  parts: EndpointParts,
  endpoint: Endpoint,
  request: Incoming['request'],
  response: ServerResponse,
  params: Readonly<Record<string, string>>,
): Promise<number> {
  const startedAt = performance.now();
  const correlationId = correlationOf(request.headers, parts.ids);
  endWhenStalled(parts, { correlationId, interaction: endpoint.name }, request, response);
  let setCookie: string | undefined;
  let answer: HttpAnswer;
  try {
    const authentication = await letIn(parts, endpoint.access, request);
    setCookie = authentication?.setCookie;
    answer = await endpoint.answer({
      request,
      params,
      actor: authentication?.actor ?? nobody,
      correlationId,
    });
    if (answer.status >= 400) answer = inItsFormat(parts, answer, request);
    if (isToCompress(answer, request)) answer = await compressed(answer);
  } catch (error) {
    answer = failureAnswer(parts, endpoint.name, request, correlationId, error);
  }
  const sending = { correlationId, setCookie, last: parts.stopping() || answer.status === 413 };
  if (isStream(answer.body)) await stream(parts, endpoint, response, answer, answer.body, sending);
  else send(response, answer, sending);
  parts.metrics.observe(endpoint.name, answer.status, performance.now() - startedAt);
  return answer.status;
}

/** What fails after the first bytes cannot be answered any more: the connection breaks, so that nobody takes it for the whole. */
async function stream(
  { logger }: EndpointParts,
  { name }: Endpoint,
  response: ServerResponse,
  answer: HttpAnswer,
  body: BodyStream,
  sending: Sending,
): Promise<void> {
  try {
    await sendStream(response, answer, body, sending);
  } catch (error) {
    const { correlationId } = sending;
    logger.error({ correlationId, interaction: name }, 'an answer broke off while it was sent', error);
    response.destroy();
  }
}

export function failureAnswer(
  parts: EndpointParts,
  name: string,
  request: Incoming['request'],
  correlationId: string,
  error: unknown,
): HttpAnswer {
  const { method = '', headers } = request;
  const root = rootOf(parts.publicUrl(request));
  const failed = { name, correlationId, method, url: urlOf(request), root, headers };
  return inItsFormat(parts, answerFailure(error, failed, parts.logger), request);
}

const inItsFormat = (
  { formats }: EndpointParts,
  answer: HttpAnswer,
  request: Incoming['request'],
): HttpAnswer => presentedRefusal(formats, answer, urlOf(request), request.headers);

const urlOf = ({ originalUrl, url }: Incoming['request']): string => originalUrl ?? url ?? '/';

/** Throws Refusal `unauthorized` or `forbidden`. Public endpoints do not ask who it is. */
export async function letIn(
  { auth, publicUrl }: Pick<EndpointParts, 'auth' | 'publicUrl'>,
  access: HttpRoute['access'],
  request: IncomingMessage,
): Promise<Authentication | undefined> {
  if (access === 'public') return undefined;
  const authentication = await auth.authenticate(request.headers, changes(request), () => publicUrl(request));
  if (!authentication) throw new Refusal('unauthorized', 'an access token or a session is needed');
  if (access === 'admin' && !authentication.actor.scopes.includes(adminScope)) {
    throw new Refusal('forbidden', 'the scope admin is needed');
  }
  return authentication;
}

/** A WebSocket can change things although it begins with a GET. */
const changes = ({ method, headers }: IncomingMessage): boolean =>
  (method !== 'GET' && method !== 'HEAD') || headers.upgrade !== undefined;
