// A route as data: declared by whoever answers it, mounted by engine/rest, which alone knows Express.
import type { Actor } from './actor.ts';

export interface HttpRequest {
  readonly actor: Actor;
  /** Named parts of the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  readonly correlationId: string;
  /** Of the sender, as far as it is known: for slowing down who guesses. */
  readonly address?: string;
  /** What stands before every path of ours as the sender sees it, behind a proxy: `/kiungo`. Without it nothing does. */
  readonly root?: string;
  /** The URL by which the sender reaches us, as far as proxies can be trusted; without a slash at its end. */
  readonly cameBy?: string;
}

/** An answer too large to be held: sent piece by piece, as fast as the client takes it. Bytes are good until the next piece is asked for. */
export type BodyStream = AsyncGenerator<string | Uint8Array, void, undefined>;

export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string, bytes or a stream are sent as they are; an object as JSON. */
  readonly body?: string | Uint8Array | BodyStream | object;
  /** Events, instead of a body: each is sent when it comes, until one of the sides goes. */
  readonly stream?: AsyncIterable<string>;
}

export interface HttpRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Express path: `/admin/messages/:id/replay`. */
  readonly path: string;
  /** `public` is open to anyone; otherwise the scope that the actor needs (`admin`). */
  readonly access: 'public' | 'admin' | 'signed-in';
  /** Throws Refusal for what it refuses. */
  handle(request: HttpRequest): Promise<HttpAnswer>;
}
