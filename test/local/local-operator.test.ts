import { describe, expect, it } from 'vitest';
import { localOperator } from '../../shared/local/local-operator.ts';

describe('the local operator', () => {
  it.each([
    ['a program on this machine', { host: '127.0.0.1:7071' }, true],
    ['the same by name', { host: 'localhost:7071' }, true],
    ['the own web page', { host: '127.0.0.1:7071', origin: 'http://127.0.0.1:7071' }, true],
    ['a foreign web page', { host: '127.0.0.1:7071', origin: 'https://example.com' }, false],
    ['a page without an origin of its own', { host: '127.0.0.1:7071', origin: 'null' }, false],
    ['a name that was made to point here', { host: 'rebound.example.com:7071' }, false],
    ['a request without a host', {}, false],
  ])('is %s: %o: %s', async (_, headers, isOperator) => {
    expect((await localOperator.identify(headers)) !== undefined).toBe(isOperator);
  });
});
