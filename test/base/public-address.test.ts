/** Which addresses are public, against IANA's special-purpose registries. */
import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../shared/base/public-address.ts';

/** First and last address of each range that is not globally reachable: iana-ipv4-special-registry, iana-ipv6-special-registry. */
const special: readonly (readonly [string, ...string[]])[] = [
  ['this network', '0.0.0.0', '0.255.255.255'],
  ['private 10/8', '10.0.0.0', '10.255.255.255'],
  ['shared (carrier NAT)', '100.64.0.0', '100.127.255.255'],
  ['loopback', '127.0.0.0', '127.0.0.1', '127.255.255.255'],
  ['link-local and metadata', '169.254.0.0', '169.254.169.254', '169.254.255.255'],
  ['private 172.16/12', '172.16.0.0', '172.31.255.255'],
  ['IETF protocol assignments', '192.0.0.0', '192.0.0.255'],
  ['documentation', '192.0.2.0', '192.0.2.255', '198.51.100.0', '203.0.113.255'],
  ['6to4 relay anycast', '192.88.99.1'],
  ['private 192.168/16', '192.168.0.0', '192.168.255.255'],
  ['benchmarking', '198.18.0.0', '198.19.255.255'],
  ['multicast', '224.0.0.0', '239.255.255.255'],
  ['reserved and broadcast', '240.0.0.0', '255.255.255.255'],
  ['the platform of Azure', '168.63.129.16'],
  ['unspecified IPv6', '::'],
  ['loopback IPv6', '::1'],
  ['IPv4-mapped', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:a9fe:a9fe'],
  ['IPv4-compatible', '::127.0.0.1', '::7f00:1'],
  ['IPv4-translated', '64:ff9b::7f00:1', '64:ff9b::8.8.8.8', '64:ff9b:1::1'],
  ['discard-only', '100::', '100::ffff:ffff:ffff:ffff'],
  ['Teredo and other IETF assignments', '2001::1', '2001:1ff:ffff::'],
  ['documentation IPv6', '2001:db8::1', '3fff::1', '3fff:fff::'],
  ['6to4', '2002:7f00:1::', '2002:a9fe:a9fe::1'],
  ['segment routing', '5f00::1'],
  ['unique local', 'fc00::', 'fd00::1', 'fdff:ffff::'],
  ['link-local IPv6', 'fe80::1', 'fe80::1%eth0', 'febf::1'],
  ['site-local', 'fec0::1'],
  ['multicast IPv6', 'ff02::1', 'ff0e::1'],
  ['an address with a zone', '2606:4700::1%eth0'],
];

describe('isPublicAddress', () => {
  it.each(special.flatMap(([name, ...addresses]) => addresses.map((address) => [name, address])))(
    'refuses %s: %s',
    (_name, address) => {
      expect(isPublicAddress(address)).toBe(false);
    },
  );

  it.each([
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '168.63.129.15',
    '169.253.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.0',
    '192.167.255.255',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2001:4860:4860::8888',
    '2606:4700:4700::1111',
    '2a00:1450::1',
  ])('lets %s pass', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    '',
    'localhost',
    'example.com',
    '127.1',
    '0x7f000001',
    '2130706433',
    '8.8.8.8:443',
    '[::1]',
    '08.8.8.8',
  ])('refuses "%s", which is no address', (text) => {
    expect(isPublicAddress(text)).toBe(false);
  });
});
