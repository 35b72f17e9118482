/** Hosts and addresses of this machine and of private networks (RFC 1122, 1918, 4193, 6598). */
import { BlockList, isIP } from 'node:net';

/** Host of a `host:port` without its port and without the brackets of IPv6. */
export function hostNameOf(host: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(host);
  if (bracketed !== null) return bracketed[1] ?? '';
  return isIP(host) === 6 ? host : host.replace(/:\d*$/, '');
}

/** Whether a host (with or without port) names this machine: `localhost`, 127.0.0.0/8, `::1`. Other names are not
 *  resolved, so they never count. */
export function isLoopbackHost(host: string): boolean {
  const name = hostNameOf(host).toLowerCase();
  if (name === 'localhost') return true;
  return isIP(name) !== 0 && loopback.check(name, isIP(name) === 6 ? 'ipv6' : 'ipv4');
}

/** Whether an IP address belongs to a private network; loopback and link-local ones do not. */
export function isPrivateAddress(address: string): boolean {
  return isIP(address) !== 0 && privateNetworks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const privateNetworks = new BlockList();
privateNetworks.addSubnet('10.0.0.0', 8, 'ipv4');
privateNetworks.addSubnet('172.16.0.0', 12, 'ipv4');
privateNetworks.addSubnet('192.168.0.0', 16, 'ipv4');
privateNetworks.addSubnet('100.64.0.0', 10, 'ipv4');
privateNetworks.addSubnet('fc00::', 7, 'ipv6');
