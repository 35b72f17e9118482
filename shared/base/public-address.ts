/** Which IP addresses are public: those that IANA calls globally reachable (IPv4 and IPv6 Special-Purpose Address
 *  Registries), less the forms that carry another address inside. */
import { BlockList, isIP } from 'node:net';

/**
 * Whether the address is public unicast. Everything that leads back into a network of our own is not: private,
 * loopback, link-local (cloud metadata and identity endpoints), carrier NAT, unique local, multicast, reserved, and
 * IPv6 forms that wrap an IPv4 address (mapped, NAT64, 6to4, Teredo), because a gateway may unwrap them. A text that
 * is no address is not public.
 */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special4.check(address, 'ipv4');
    case 6:
      // A zone (`%eth0`) binds an address to one link of this machine.
      if (address.includes('%')) return false;
      return global6.check(address, 'ipv6') && !special6.check(address, 'ipv6');
    default:
      return false;
  }
}

const special4 = subnets('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Azure's platform services (DHCP, DNS, health probes) answer there from inside every virtual network.
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]);

/** The only unicast space that was ever given out (RFC 3513): mapped, NAT64, ULA and the rest lie outside it. */
const global6 = subnets('ipv6', [['2000::', 3]]);

const special6 = subnets('ipv6', [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]);

function subnets(family: 'ipv4' | 'ipv6', list: readonly (readonly [string, number])[]): BlockList {
  const blocks = new BlockList();
  for (const [address, prefix] of list) blocks.addSubnet(address, prefix, family);
  return blocks;
}
