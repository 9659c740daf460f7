// Hands deliveries to an HTTP server: FHIR, JSON, HL7 v2 or anything else, one request a delivery.
import type { RetryClass, Sender, SendResult } from '../../engine/index.ts';

export interface HttpSenderOptions {
  readonly url: string;
  /** POST unless told. */
  readonly method?: string;
  /** Beside `content-type` and `idempotency-key`, which are the delivery's. Asked at each request: a secret among them may change. */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** From the request to the end of the answer. Default 30 s. */
  readonly answerTimeoutMs?: number;
  /** How much of an answer is read and kept. Default 64 KiB. */
  readonly keptBytes?: number;
}

/** How long a server may ask to be left alone. */
const longestPauseMs = 86_400_000;

/** RFC 9110, 9.2.2: doing it twice is as doing it once. */
const idempotent: ReadonlySet<string> = new Set(['GET', 'PUT', 'DELETE']);
const withoutBody: ReadonlySet<string> = new Set(['GET']);

/** What an answer that is no success says about another try. RFC 9110, 15. */
const retryByStatus: Readonly<Record<number, RetryClass>> = {
  408: 'transient',
  409: 'transient',
  425: 'transient',
  429: 'transient',
};

const reasons = {
  'http-no-connection': 'no connection to the server; see that it is on and reachable',
  'http-answer-timeout': 'the server did not answer in time',
  'http-connection-lost': 'the connection was lost before the answer; ask the server whether it has arrived',
  'http-refused': 'the server refused it; its answer is kept with the delivery',
  'http-redirected': 'the server sends elsewhere; name the final address in the destination',
} as const;

/**
 * A request that may have been carried out before the connection was lost is `ambiguous`, unless its method may be repeated without harm.
 * The delivery's id is its `idempotency-key`, the same at each try.
 */
export function createHttpSender(options: HttpSenderOptions): Sender {
  const stop = new AbortController();
  const underWay = new Set<Promise<unknown>>();
  return {
    send: (delivery) => {
      const sending: Promise<SendResult> = request(options, delivery, stop.signal).finally(() =>
        underWay.delete(sending),
      );
      underWay.add(sending);
      return sending;
    },
    close: async () => {
      await Promise.all(underWay);
      stop.abort();
    },
  };
}

type Delivery = Parameters<Sender['send']>[0];

async function request(
  options: HttpSenderOptions,
  delivery: Delivery,
  stop: AbortSignal,
): Promise<SendResult> {
  const { url, method = 'POST', headers, answerTimeoutMs = 30_000 } = options;
  const own = headers?.() ?? {};
  try {
    const response = await fetch(url, {
      method,
      headers: {
        'content-type': delivery.contentType,
        'idempotency-key': delivery.id,
        ...(delivery.traceparent === undefined ? {} : { traceparent: delivery.traceparent }),
        ...own,
      },
      ...(withoutBody.has(method) ? {} : { body: Buffer.from(delivery.payload) }),
      redirect: 'manual',
      signal: AbortSignal.any([stop, AbortSignal.timeout(answerTimeoutMs)]),
    });
    return resultOf(response, await beginningOf(response, options.keptBytes ?? 64 * 1024));
  } catch (error) {
    return failureOf(error, method);
  }
}

function resultOf(response: Response, { bytes, isCut }: Beginning): SendResult {
  const contentType = response.headers.get('content-type') ?? 'application/octet-stream';
  const answer = { code: String(response.status), response: { contentType, bytes, isCut } };
  if (response.ok) return { state: 'done', ...answer };
  const isRedirect = response.status >= 300 && response.status < 400;
  const code = isRedirect ? 'http-redirected' : 'http-refused';
  const reason = { code, text: `${reasons[code]} (status ${response.status})` };
  const retry = retryByStatus[response.status] ?? (response.status >= 500 ? 'transient' : 'permanent');
  const notBeforeMs = pauseOf(response.headers.get('retry-after'));
  return { state: 'failed', retry, reason, ...answer, ...(notBeforeMs === undefined ? {} : { notBeforeMs }) };
}

/** `Retry-After` in seconds; as a date it is left to our own back-off. */
function pauseOf(text: string | null): number | undefined {
  return text !== null && /^\d{1,6}$/.test(text) ? Math.min(Number(text) * 1000, longestPauseMs) : undefined;
}

interface Beginning {
  readonly bytes: Uint8Array;
  readonly isCut: boolean;
}

/** The rest is not read: the connection is given up instead. */
async function beginningOf(response: Response, keptBytes: number): Promise<Beginning> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of (response.body as AsyncIterable<Uint8Array> | null) ?? []) {
    pieces.push(piece);
    size += piece.byteLength;
    if (size > keptBytes) break;
  }
  return { bytes: Buffer.concat(pieces).subarray(0, keptBytes), isCut: size > keptBytes };
}

/** What never reached the server can be tried again; of the rest nobody knows. */
const neverSent: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

function failureOf(error: unknown, method: string): SendResult {
  const { cause, name } = error as { readonly cause?: { readonly code?: string }; readonly name?: string };
  const late: RetryClass = idempotent.has(method) ? 'transient' : 'ambiguous';
  if (name === 'TimeoutError') return failed('http-answer-timeout', late);
  if (neverSent.has(codeOf(cause))) return failed('http-no-connection', 'transient', codeOf(cause));
  return failed('http-connection-lost', late);
}

/** Where several addresses were tried, the first one's. */
function codeOf(cause: unknown): string {
  const { code, errors } = (cause ?? {}) as { readonly code?: string; readonly errors?: readonly unknown[] };
  return code ?? (errors?.[0] === undefined ? '' : codeOf(errors[0]));
}

function failed(code: keyof typeof reasons, retry: RetryClass, detail = ''): SendResult {
  const text = detail === '' ? reasons[code] : `${reasons[code]} (${detail})`;
  return { state: 'failed', retry, reason: { code, text } };
}
