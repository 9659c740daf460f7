// Clients that stand still: who takes nothing of its answer, or sends nothing more of its request, does not hold a connection, and all
// that stands behind it, for ever. Who is slow and goes on is left alone, however long that takes.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LogFacts, Logger } from '../kernel/logger.ts';
import { endLate } from './unreadable-request.ts';

/**
 * How long a client may stand still, ms. That an answer goes on is seen only when the system's buffer of it is empty by a third, which
 * may be a megabyte: at this limit a line of 10 kB/s is not yet taken for one that stands still.
 */
export const usualStallMs = 120_000;

export interface Stalling {
  readonly logger: Logger;
  /** ms */
  readonly stallMs: number;
}

/** To be called once for a request, before it is read. `facts` name it in the log. */
export function endWhenStalled(
  { logger, stallMs }: Stalling,
  facts: LogFacts,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  // Called each time that no byte was moved for so long, in either direction.
  response.setTimeout(stallMs, () => {
    const { socket } = response;
    if (socket === null) return;
    if (response.writableLength > 0) {
      logger.warn(
        { ...facts, stallMs },
        'a client took nothing more of its answer: its connection was ended',
      );
      socket.destroy();
    } else if (isAwaited(request, response)) {
      logger.warn(
        { ...facts, stallMs },
        'a client sent nothing more of its request: its connection was ended',
      );
      endLate(socket);
    }
    // What is worked on moves no bytes either.
    else socket.setTimeout(stallMs);
  });
}

/** Whether it is the client's turn: what has come of its body is taken, and there is more to come. */
const isAwaited = (request: IncomingMessage, response: ServerResponse): boolean =>
  !request.complete && request.readableLength === 0 && !response.headersSent;
