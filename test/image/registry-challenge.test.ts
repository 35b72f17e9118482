import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maxChallengeLength, parseChallenge } from '../../shared/image/registry-challenge.ts';

const bearer = { scheme: 'bearer', service: undefined, scopes: [], error: undefined };

test.each<readonly [string | undefined, object | undefined]>([
  [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/x:pull"',
    {
      ...bearer,
      realm: 'https://auth.docker.io/token',
      service: 'registry.docker.io',
      scopes: ['repository:library/x:pull'],
    },
  ],
  [
    'bearer  REALM = "https://a/t" , Scope="repository:a:pull,push repository:b:pull", error="insufficient_scope"',
    {
      ...bearer,
      realm: 'https://a/t',
      scopes: ['repository:a:pull,push', 'repository:b:pull'],
      error: 'insufficient_scope',
    },
  ],
  ['Bearer realm=https://a/t,service=s', { ...bearer, realm: 'https://a/t', service: 's' }],
  ['Bearer realm="a \\"quoted\\" word"', { ...bearer, realm: 'a "quoted" word' }],
  ['Basic realm="x, Bearer realm=\\"evil\\""', { scheme: 'basic' }],
  ['Basic realm="x", Bearer realm="https://a/t"', { ...bearer, realm: 'https://a/t' }],
  ['Basic', { scheme: 'basic' }],
  ['Negotiate, Basic realm="x"', { scheme: 'basic' }],
  ['Digest realm="x", nonce="y"', undefined],
  ['Bearer', undefined],
  ['Bearer realm="no end', undefined],
  ['Bearer realm="no end, Basic', undefined],
  ['', undefined],
  [undefined, undefined],
  [`Bearer realm="${'x'.repeat(maxChallengeLength)}"`, undefined],
])('%.120s', (header, expected) => {
  expect(parseChallenge(header)).toEqual(expected);
});

test('any header is answered in linear time and never throws', () => {
  const parts = fc.array(fc.constantFrom('Bearer ', 'Basic', 'realm', '=', '"', '\\', ',', ' ', 'a', '"x"'), {
    maxLength: 400,
  });
  fc.assert(fc.property(parts, (words) => void parseChallenge(words.join(''))));
  const startedAt = performance.now();
  parseChallenge(`Bearer ${'a'.repeat(8_000)}`);
  parseChallenge(`Bearer a="${'\\'.repeat(8_000)}`);
  parseChallenge(' ,'.repeat(4_000));
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});
