/** Which hosts are this machine, and which addresses are private. */
import { expect, test } from 'vitest';
import { hostNameOf, isLoopbackHost, isPrivateAddress } from '../../shared/base/addresses.ts';

test.each([
  ['localhost', true],
  ['LOCALHOST:5000', true],
  ['127.0.0.1', true],
  ['127.255.0.3:80', true],
  ['[::1]:5000', true],
  ['::1', true],
  ['localhost.example.com', false],
  ['127.0.0.1.example.com', false],
  ['127.1', false],
  ['10.0.0.1', false],
  ['0.0.0.0', false],
  ['', false],
  ['[::2]', false],
  ['registry.example.com', false],
])('%s is this machine: %s', (host, expected) => {
  expect(isLoopbackHost(host)).toBe(expected);
});

test.each([
  ['registry.example.com:443', 'registry.example.com'],
  ['registry.example.com', 'registry.example.com'],
  ['[2001:db8::1]:5000', '2001:db8::1'],
  ['2001:db8::1', '2001:db8::1'],
])('%s has the name %s', (host, expected) => {
  expect(hostNameOf(host)).toBe(expected);
});

test.each([
  ['10.1.2.3', true],
  ['172.31.255.255', true],
  ['172.32.0.0', false],
  ['192.168.0.1', true],
  ['100.64.0.1', true],
  ['fd12::1', true],
  ['127.0.0.1', false],
  ['169.254.169.254', false],
  ['8.8.8.8', false],
  ['2606:4700::1111', false],
  ['not an address', false],
])('%s is private: %s', (address, expected) => {
  expect(isPrivateAddress(address)).toBe(expected);
});
