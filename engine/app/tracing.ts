// Traces by OpenTelemetry, where the settings name a receiver. Its library is loaded only then. https://opentelemetry.io/docs/specs/otlp/
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context, SpanKind as OtelKind } from '@opentelemetry/api';
import type { Span, SpanKind, Tracer } from '../kernel/tracer.ts';

export interface Tracing {
  readonly tracer: Tracer;
  /** Sends what is left. */
  stop(): Promise<void>;
}

/** `endpoint`: of OTLP over HTTP, without `/v1/traces`. A receiver that is away costs spans, and nothing else. */
export async function createTracing(endpoint: string, version: string): Promise<Tracing> {
  const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` });
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'kiungo', 'service.version': version }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter, scheduledDelayMillis: 1_000 })],
  });
  const spans = provider.getTracer('kiungo', version);
  const around = new AsyncLocalStorage<Context>();
  const kinds: Readonly<Record<SpanKind, OtelKind>> = {
    server: api.SpanKind.SERVER,
    client: api.SpanKind.CLIENT,
    consumer: api.SpanKind.CONSUMER,
    internal: api.SpanKind.INTERNAL,
  };
  const contextOf = (parent: string | undefined): Context => {
    const context = parent === undefined ? undefined : remote(parent);
    if (context === undefined) return around.getStore() ?? api.ROOT_CONTEXT;
    return api.trace.setSpanContext(api.ROOT_CONTEXT, context);
  };
  const tracer: Tracer = {
    span: async (name, { kind, facts = {}, parent }, work) => {
      const context = contextOf(parent);
      const span = spans.startSpan(name, { kind: kinds[kind], attributes: { ...facts } }, context);
      const ours: Span = {
        traceparent: traceparentOf(span.spanContext()),
        note: (more) => void span.setAttributes(more),
        fail: (code) => void span.setStatus({ code: api.SpanStatusCode.ERROR, message: code }),
      };
      try {
        return await around.run(api.trace.setSpan(context, span), () => work(ours));
      } catch (error) {
        ours.fail((error as { readonly code?: string }).code ?? 'defect');
        throw error;
      } finally {
        span.end();
      }
    },
    current: () => {
      const context = around.getStore();
      const span = context === undefined ? undefined : api.trace.getSpanContext(context);
      return span === undefined ? undefined : traceparentOf(span);
    },
  };
  return { tracer, stop: () => provider.shutdown().catch(() => undefined) };
}

interface SpanPlace {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
}

const written = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Undefined for what is no traceparent of version 00: https://www.w3.org/TR/trace-context/#traceparent-header */
function remote(text: string): (SpanPlace & { readonly isRemote: true }) | undefined {
  const [, traceId = '', spanId = '', flags = ''] = written.exec(text) ?? [];
  if (/^0*$/.test(traceId) || /^0*$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

const traceparentOf = ({ traceId, spanId, traceFlags }: SpanPlace): string =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
