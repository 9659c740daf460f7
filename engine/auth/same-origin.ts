// Whether a browser's request comes from our own pages: https://owasp.org/www-community/attacks/csrf
import type { Headers } from './headers.ts';

/**
 * What the browser says of itself (Sec-Fetch-Site, sent over TLS and to localhost), otherwise Origin, which must be the public
 * URL's, that of the URL by which the request came as trusted proxies tell it (`cameBy`), or that of the host that was asked. `undefined`
 * when it says nothing, as programs do. No page of another site can make a browser send what proxies tell: those are headers that it
 * would have to ask for.
 */
export function isSameOrigin(headers: Headers, publicUrl: string, cameBy = publicUrl): boolean | undefined {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin, host } = headers;
  if (typeof origin !== 'string') return undefined;
  if ([publicUrl, cameBy].some((url) => new URL(url).origin === origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
