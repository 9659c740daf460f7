// Whether a browser's request comes from our own pages: https://owasp.org/www-community/attacks/csrf
import type { Headers } from './headers.ts';

/**
 * What the browser says of itself (Sec-Fetch-Site, sent over TLS and to localhost), otherwise Origin, which must be the public
 * URL's or that of the host that was asked. `undefined` when it says nothing, as programs do.
 */
export function isSameOrigin(headers: Headers, publicUrl: string): boolean | undefined {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin, host } = headers;
  if (typeof origin !== 'string') return undefined;
  return origin === new URL(publicUrl).origin || (URL.canParse(origin) && new URL(origin).host === host);
}
