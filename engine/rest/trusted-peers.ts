// The proxies in front of this server whose word about the client is believed.
import { BlockList, isIP } from 'node:net';

export interface TrustedPeers {
  readonly any: boolean;
  has(address: string | undefined): boolean;
}

/** Throws for an entry that is neither an address nor a CIDR range. */
export function trustedPeers(entries: readonly string[]): TrustedPeers {
  const list = new BlockList();
  for (const entry of entries) add(list, entry);
  return { any: entries.length > 0, has: (address) => isListed(list, address ?? '') };
}

function add(list: BlockList, entry: string): void {
  const [address = '', bits] = entry.split('/');
  const family = isIP(address);
  if (family === 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) {
    throw new Error(`a trusted proxy is an address or a CIDR range, not ${entry}`);
  }
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  if (bits === undefined) list.addAddress(address, kind);
  else list.addSubnet(address, Number(bits), kind);
}

function isListed(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
