/** Network addresses: which client a request comes from, and whether an account may be used from there. */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ReturnType<typeof ipaddr.process>;

/** Addresses and blocks, parsed. */
export type Block = readonly [Address, number];

/** More entries of X-Forwarded-For than this are not looked at. */
const MAX_HOPS = 32;

/**
 * One address or CIDR block, IPv4 or IPv6; undefined if the text is neither.
 *
 * IPv4 addresses written as IPv6 (`::ffff:10.0.0.1`) are the same as their IPv4 form, in blocks too.
 */
export function parseBlock(text: string): Block | undefined {
  const [address = '', prefix, ...rest] = text.trim().split('/');
  const parsed = parseAddress(address);
  if (!parsed || rest.length > 0) return undefined;
  // What the text has, not what it stands for: a prefix counts the bits of the mapped form.
  const mapped = isIP(address) === 6 && parsed.kind() === 'ipv4';
  const most = parsed.kind() === 'ipv4' ? 32 : 128;
  if (prefix === undefined) return [parsed, most];
  if (!/^\d{1,3}$/.test(prefix)) return undefined;
  const bits = mapped ? Number(prefix) - 96 : Number(prefix);
  return bits >= 0 && bits <= most ? [parsed, bits] : undefined;
}

/** True if the address is in one of the blocks. False for text that is no address. */
export function isInBlocks(address: string, blocks: readonly Block[]): boolean {
  const parsed = parseAddress(address);
  return parsed !== undefined && blocks.some((block) => contains(block, parsed));
}

/**
 * True if an account that is restricted to `restrictByIP` may be used from the address; anything goes without a
 * restriction. An entry that cannot be read matches nothing, so a list of nothing else refuses everybody.
 */
export function isAllowedAddress(restrictByIP: readonly string[] | undefined, address: string): boolean {
  if (restrictByIP === undefined || restrictByIP.length === 0) return true;
  return isInBlocks(
    address,
    restrictByIP.flatMap((text) => {
      const block = parseBlock(text);
      return block ? [block] : [];
    }),
  );
}

/**
 * Address of the client: that of the connection, or, if this is a trusted proxy, the last one in X-Forwarded-For that
 * is not. What stands left of it was written by somebody that we do not trust, and is not looked at.
 */
export function clientAddress(
  socketAddress: string | undefined,
  forwardedFor: string | readonly string[] | undefined,
  trustedProxies: readonly Block[],
): string {
  let client = normalize(socketAddress ?? '') ?? '';
  if (forwardedFor === undefined || !isInBlocks(client, trustedProxies)) return client;
  const hops = [forwardedFor].flat().join(',').split(',').slice(-MAX_HOPS).reverse();
  for (const hop of hops) {
    const address = normalize(withoutPort(hop.trim()));
    if (address === undefined) return client;
    client = address;
    if (!isInBlocks(address, trustedProxies)) return client;
  }
  return client;
}

/**
 * What counts as one client: an address of IPv4, or a network of 64 bits of IPv6, which is the least that anybody gets, and
 * who has it may use any address in it. Text that is no address is itself.
 */
export function clientNetwork(address: string): string {
  const parsed = parseAddress(address);
  if (!parsed || parsed.kind() === 'ipv4') return address;
  return `${parsed.toNormalizedString().split(':').slice(0, 4).join(':')}::/64`;
}

function normalize(text: string): string | undefined {
  return parseAddress(text)?.toString();
}

function withoutPort(text: string): string {
  return text.match(/^\[([^\]]+)\](?::\d+)?$/)?.[1] ?? text.match(/^([\d.]+):\d+$/)?.[1] ?? text;
}

/** The library alone would also read `1`, `010.0.0.1` (octal) and `0x7f.1`. Zone ids are left out. */
function parseAddress(text: string): Address | undefined {
  const [plain = ''] = text.split('%');
  return isIP(plain) === 0 ? undefined : ipaddr.process(plain);
}

function contains([network, bits]: Block, address: Address): boolean {
  return network.kind() === address.kind() && address.match(network as never, bits);
}
