/** Which network addresses are loopback, link-local or private (RFC 1122, 1918, 3927, 4193, 4291, 6598). */
import { BlockList, isIP } from 'node:net';

/** Host of a URL or a `host:port` without its port and without the brackets of IPv6. */
export function hostNameOf(host: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(host);
  if (bracketed !== null) return bracketed[1] ?? '';
  return isIP(host) === 6 ? host : host.replace(/:\d*$/, '');
}

/** Whether a host (with or without port) names this machine: `localhost`, 127.0.0.0/8, `::1`. Other names are not
 *  resolved, so they never count. */
export function isLoopbackHost(host: string): boolean {
  const name = hostNameOf(host).toLowerCase();
  return name === 'localhost' || (isIP(name) !== 0 && contains(loopback, name));
}

/** Whether an IP address is loopback, link-local (where clouds answer with credentials), unspecified or multicast: no
 *  place that a server may send us to. */
export function isLocalAddress(address: string): boolean {
  return contains(loopback, address) || contains(local, address);
}

/** Whether an IP address belongs to a private network. */
export function isPrivateAddress(address: string): boolean {
  return contains(privateNetworks, address);
}

const loopback = blockListOf(['127.0.0.0/8', '::1/128']);
const local = blockListOf([
  '0.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/3',
  '168.63.129.16/32',
  '::/128',
  'fe80::/10',
  'ff00::/8',
]);
const privateNetworks = blockListOf([
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '198.18.0.0/15',
  'fc00::/7',
  'fec0::/10',
]);

/** BlockList looks through IPv4-mapped IPv6; NAT64 and 6to4 forms carry an IPv4 address too. */
function contains(list: BlockList, address: string): boolean {
  const family = isIP(address);
  if (family === 4) return list.check(address, 'ipv4');
  if (family !== 6) return false;
  const plain = address.replace(/%.*$/, '');
  const embedded = embeddedIPv4(plain);
  return list.check(plain, 'ipv6') || (embedded !== undefined && list.check(embedded, 'ipv4'));
}

function embeddedIPv4(address: string): string | undefined {
  const words = ipv6Words(address);
  const isNat64 = words[0] === 0x64 && words[1] === 0xff9b;
  const isMapped = words.slice(0, 5).every((word) => word === 0) && (words[5] === 0xffff || words[5] === 0);
  const high = words[0] === 0x2002 ? words[1] : words[6];
  const low = words[0] === 0x2002 ? words[2] : words[7];
  if ((words[0] !== 0x2002 && !isNat64 && !isMapped) || high === undefined || low === undefined)
    return undefined;
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** The eight 16-bit words of a valid address. */
function ipv6Words(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const text =
    dotted === null
      ? address
      : `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`;
  const [head = '', tail] = text.split('::');
  const parse = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16));
  const left = parse(head);
  if (tail === undefined) return left;
  const right = parse(tail);
  return [...left, ...new Array<number>(Math.max(0, 8 - left.length - right.length)).fill(0), ...right];
}

function blockListOf(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [address = '', prefix = ''] = subnet.split('/');
    list.addSubnet(address, Number(prefix), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}
