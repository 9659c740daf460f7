// The address that the client used, as trusted proxies tell it: for links in answers.
// https://www.rfc-editor.org/rfc/rfc7239 and the older X-Forwarded-Proto, -Host, -Port, -Prefix.
import type { IncomingMessage } from 'node:http';
import { headerOf, type Headers } from '../auth/headers.ts';
import type { TrustedPeers } from './trusted-peers.ts';

export interface AddressOptions {
  /** What is said without proxies; without a slash at its end. */
  readonly publicUrl: () => string;
  /** It was set by a person, and counts whatever proxies say. */
  readonly isFixed: boolean;
  readonly trusted: TrustedPeers;
}

/** The public URL for one request, without a slash at its end. */
export function publicUrlFor(options: AddressOptions): (request: IncomingMessage) => string {
  const { publicUrl, isFixed, trusted } = options;
  if (isFixed || !trusted.any) return publicUrl;
  return (request) =>
    (trusted.has(request.socket.remoteAddress) && forwardedUrl(request, options)) || publicUrl();
}

/** What stands before our paths under that URL: `/kiungo`, mostly nothing. */
export const rootOf = (publicUrl: string): string =>
  publicUrl === '' ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '');

interface Told {
  readonly proto: string | undefined;
  readonly host: string | undefined;
  readonly port: string | undefined;
  readonly prefix: string | undefined;
}

const hostSyntax =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;
const prefixSyntax = /^(?:\/[A-Za-z0-9._~-]{1,64}){1,8}$/;

/** undefined when nothing is told, or nothing that can be used. */
function forwardedUrl(
  { headers }: IncomingMessage,
  { publicUrl, trusted }: AddressOptions,
): string | undefined {
  const told = toldBy(headers, trusted);
  if (told.proto === undefined && told.host === undefined && told.prefix === undefined) return undefined;
  const protocol = told.proto ?? new URL(publicUrl()).protocol.slice(0, -1);
  const host = told.host ?? headers.host ?? '';
  if (!/^https?$/.test(protocol) || !hostSyntax.test(host)) return undefined;
  const prefix = told.prefix?.replace(/\/+$/, '') ?? '';
  if (prefix !== '' && !prefixSyntax.test(prefix)) return undefined;
  return `${protocol}://${withPort(host, told.port, protocol)}${prefix}`;
}

const usualPorts: Readonly<Record<string, string>> = { http: '80', https: '443' };

function withPort(host: string, port: string | undefined, protocol: string): string {
  const says = /:\d+$/.test(host) || port === undefined || !/^\d{1,5}$/.test(port);
  return says || port === usualPorts[protocol] ? host : `${host}:${port}`;
}

function toldBy(headers: Headers, trusted: TrustedPeers): Told {
  const forwarded = headerOf(headers, 'forwarded');
  const prefix = headerOf(headers, 'x-forwarded-prefix')?.trim();
  if (forwarded !== undefined) {
    const element = farthestTrusted(forwarded.split(',').map(pairsOf), (pairs) => pairs.get('for'), trusted);
    return { proto: element?.get('proto'), host: element?.get('host'), port: undefined, prefix };
  }
  const chain = listOf(headers, 'x-forwarded-for');
  const hops = chain.length === 0 ? 0 : trustedAtEnd(chain, trusted);
  const at = (name: string): string | undefined => {
    const values = listOf(headers, name);
    return values[Math.max(0, values.length - 1 - hops)];
  };
  return {
    proto: at('x-forwarded-proto')?.toLowerCase(),
    host: at('x-forwarded-host'),
    port: at('x-forwarded-port'),
    prefix,
  };
}

/**
 * Proxies add at the end. Going back from there, what a trusted proxy added is believed; what stands before that of an untrusted one
 * anybody may have written.
 */
function farthestTrusted<Element>(
  elements: readonly Element[],
  cameFrom: (element: Element) => string | undefined,
  trusted: TrustedPeers,
): Element | undefined {
  let place = elements.length - 1;
  for (; place > 0; place -= 1) {
    const element = elements[place];
    if (element === undefined || !trusted.has(bareAddress(cameFrom(element)))) break;
  }
  return elements[place];
}

function trustedAtEnd(chain: readonly string[], trusted: TrustedPeers): number {
  const reversed = chain.toReversed();
  const stranger = reversed.findIndex((address) => !trusted.has(bareAddress(address)));
  return stranger < 0 ? chain.length : stranger;
}

const listOf = (headers: Headers, name: string): readonly string[] =>
  (headerOf(headers, name) ?? '')
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '');

/** `for=192.0.2.60;proto=https;host="example.org:8443"` */
function pairsOf(element: string): ReadonlyMap<string, string> {
  return new Map(
    element.split(';').map((pair) => {
      const [name = '', value = ''] = pair.split(/=(.*)/s);
      return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, '$1')];
    }),
  );
}

/** `192.0.2.60:4711` and `[2001:db8::1]:4711` without what is around the address. */
const bareAddress = (written: string | undefined): string =>
  (written ?? '').replace(/^\[([^\]]*)\](?::\d+)?$/, '$1').replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
