// What comes over a connection and is no request that can be read: answered on the bare connection, since there is no request to answer.
import { STATUS_CODES, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { badRequest, Refusal } from '../kernel/outcomes.ts';
import { fhirJson } from './negotiate.ts';

/** By the code of Node's error; any other is 400. The status is HTTP's, where no Refusal has one. */
const answers: Readonly<Record<string, { readonly status: number; readonly refusal: Refusal }>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    refusal: new Refusal(
      'too-large',
      'the url and the headers are too long; a long search is posted to _search',
    ),
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    refusal: badRequest('the head of the request did not come to its end in time'),
  },
};
const late = {
  status: 408,
  refusal: badRequest('nothing more came of the request for a long time'),
} as const;
const unreadable = { status: 400, refusal: badRequest('this is no HTTP request that can be read') } as const;

/** To be called once for a server. */
export function answerUnreadable(server: Server): void {
  server.on('clientError', ({ code = '' }: NodeJS.ErrnoException, socket: Duplex) => {
    if (code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else socket.end(answerOf(Object.hasOwn(answers, code) ? (answers[code] ?? unreadable) : unreadable));
  });
}

/** Answers a request that does not come to its end, and ends its connection. */
export function endLate(socket: Duplex): void {
  socket.end(answerOf(late), () => socket.destroy());
}

function answerOf({ status, refusal }: { readonly status: number; readonly refusal: Refusal }): string {
  const text = JSON.stringify(refusal.outcome);
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `Content-Type: ${fhirJson}`,
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
    '',
    text,
  ].join('\r\n');
}
