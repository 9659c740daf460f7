// Spans of work, joined to traces that go through other systems too. https://www.w3.org/TR/trace-context/ Where nobody traces there is no tracer at all.

export type SpanKind = 'server' | 'client' | 'consumer' | 'internal';

/** Ids, names of ours, codes and counts: never a name, a result, a body or a url. */
export type SpanFacts = Readonly<Record<string, string | number | boolean>>;

export interface SpanStart {
  readonly kind: SpanKind;
  readonly facts?: SpanFacts;
  /** A traceparent of another system or of earlier work; the span around it unless told. What is none begins a trace of its own. */
  readonly parent?: string | undefined;
}

export interface Span {
  readonly traceparent: string;
  note(facts: SpanFacts): void;
  /** It did not do what it was to do, for the reason of this code. */
  fail(code: string): void;
}

export interface Tracer {
  /** Ends with the work; what the work throws is thrown on. */
  span<T>(name: string, start: SpanStart, work: (span: Span) => Promise<T>): Promise<T>;
  /** The traceparent of the span around; undefined outside of any. */
  current(): string | undefined;
}
