/** Cases after the OSV schema's own text (ossf.github.io/osv-schema, "Evaluation" and the field docs of `affected`). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AdvisoryRow, RangeEvent } from '../../shared/domain/advisory.ts';
import { evaluateRow } from '../../shared/matching/evaluate-row.ts';
import type { VersionOrder } from '../../shared/versions/contract.ts';
import { versionOrder } from '../../shared/versions/registry.ts';

const semver = versionOrder('semver');

function rowOf(ranges: readonly (readonly RangeEvent[])[], versions?: readonly string[]): AdvisoryRow {
  return {
    id: 'TEST-1',
    aliases: [],
    ranges: ranges.map((events) => ({ type: 'SEMVER', events })),
    ...(versions === undefined ? {} : { versions }),
  };
}

/** `i1.0.0 f2.0.0` as events. */
function events(text: string): readonly RangeEvent[] {
  return text.split(' ').map((part): RangeEvent => {
    const version = part.slice(1);
    if (part.startsWith('i')) return { introduced: version };
    if (part.startsWith('f')) return { fixed: version };
    return part.startsWith('l') ? { lastAffected: version } : { limit: version };
  });
}

describe('a range of an advisory', () => {
  it.each([
    ['begins with the version that introduced it', 'i1.0.0 f2.0.0', '1.0.0', true, '2.0.0'],
    ['does not hold what was before', 'i1.0.0 f2.0.0', '0.9.9', false, undefined],
    ['does not hold the fixed version', 'i1.0.0 f2.0.0', '2.0.0', false, undefined],
    ['holds pre-releases of the fixed version', 'i1.0.0 f2.0.0', '2.0.0-rc.1', true, '2.0.0'],
    ['from 0 holds every version before the fix', 'i0 f2.0.0', '0.0.0-alpha', true, '2.0.0'],
    ['without an end holds every later version', 'i1.0.0', '99.0.0', true, undefined],
    ['holds the last affected version and names no fix', 'i1.0.0 l1.5.0', '1.5.0', true, undefined],
    ['does not hold what comes after the last affected', 'i1.0.0 l1.5.0', '1.5.1', false, undefined],
    ['may be introduced and last affected in one version', 'i1.5.0 l1.5.0', '1.5.0', true, undefined],
    ['introduced and fixed in one version never holds it', 'i1.0.0 f1.0.0', '1.0.0', false, undefined],
    ['introduced and fixed in one version holds nothing later', 'i1.0.0 f1.0.0', '1.0.1', false, undefined],
    ['of several branches holds each', 'i1.0.0 f1.2.0 i2.0.0 f2.1.0', '2.0.5', true, '2.1.0'],
    [
      'of several branches names the fix of the branch',
      'i1.0.0 f1.2.0 i2.0.0 f2.1.0',
      '1.1.0',
      true,
      '1.2.0',
    ],
    [
      'of several branches does not hold what is between',
      'i1.0.0 f1.2.0 i2.0.0 f2.1.0',
      '1.9.0',
      false,
      undefined,
    ],
    ['is sorted whatever the order of its events', 'f2.1.0 i2.0.0 f1.2.0 i1.0.0', '2.0.5', true, '2.1.0'],
    ['with a limit ends before it', 'i1.0.0 m1.5.0', '1.5.0', false, undefined],
    ['with a limit holds what is below', 'i1.0.0 m1.5.0', '1.4.0', true, undefined],
    ['with several limits holds what is below any', 'i1.0.0 m1.5.0 m3.0.0', '2.0.0', true, undefined],
    ['with the limit * has none', 'i1.0.0 m*', '9.0.0', true, undefined],
  ])('%s', (_, text, version, isAffected, fixedVersion) => {
    const evaluation = evaluateRow(rowOf([events(text)]), version, () => semver);
    expect(evaluation.status).toBe(isAffected ? 'affected' : 'not-affected');
    expect('fixedVersion' in evaluation ? evaluation.fixedVersion : undefined).toBe(fixedVersion);
  });

  it('from 0 and fixed in 0 holds nothing: Chainguard publishes false positives so', () => {
    const row: AdvisoryRow = {
      id: 'CGA-1',
      aliases: [],
      ranges: [{ type: 'ECOSYSTEM', events: events('i0 f0') }],
    };
    expect(evaluateRow(row, '1.2.3-r0', () => versionOrder('apk')).status).toBe('not-affected');
    // "0" is no semantic version, and means the same there.
    expect(evaluateRow(rowOf([events('i0 f0')]), '1.2.3', () => semver).status).toBe('not-affected');
  });
});

describe('an advisory', () => {
  it('affects a version that its list names, whatever the ranges say', () => {
    expect(evaluateRow(rowOf([events('i2.0.0')], ['1.0.0']), '1.0.0', () => semver).status).toBe('affected');
  });

  it('affects a version that has no place in the order but stands in the list', () => {
    expect(evaluateRow(rowOf([events('i2.0.0')], ['latest']), 'latest', () => semver).status).toBe(
      'affected',
    );
  });

  it('affects what any of several ranges holds', () => {
    const row = rowOf([events('i1.0.0 f1.1.0'), events('i3.0.0 f3.1.0')]);
    expect(evaluateRow(row, '3.0.1', () => semver)).toMatchObject({
      status: 'affected',
      fixedVersion: '3.1.0',
    });
  });

  it('names as fix the least version that no range holds', () => {
    const row = rowOf([events('i1.0.0 f2.0.0'), events('i1.5.0 f3.0.0')]);
    expect(evaluateRow(row, '1.7.0', () => semver)).toMatchObject({ fixedVersion: '3.0.0' });
  });

  it('names no fix where another range goes on', () => {
    const row = rowOf([events('i1.0.0 f2.0.0'), events('i1.5.0')]);
    expect(evaluateRow(row, '1.7.0', () => semver)).toEqual({ status: 'affected', isOpen: true });
  });

  it('says which version can not be compared, where nothing else says affected', () => {
    expect(evaluateRow(rowOf([events('i1.0.0 fnext')]), '1.7.0', () => semver)).toEqual({
      status: 'not-comparable',
      version: 'next',
    });
    expect(evaluateRow(rowOf([events('i1.0.0')]), 'banana', () => semver).status).toBe('not-comparable');
  });

  it('is judged by its other ranges where one can not be compared, without naming a fix', () => {
    const row = rowOf([events('i1.0.0 fnext'), events('i1.0.0 f2.0.0')]);
    expect(evaluateRow(row, '1.7.0', () => semver)).toEqual({ status: 'affected', isOpen: false });
  });

  it('can not be judged where its range has no order', () => {
    expect(evaluateRow(rowOf([events('i1.0.0')]), '1.7.0', () => undefined).status).toBe('not-comparable');
  });
});

describe('evaluation against a model that tries every version', () => {
  // Ten whole numbers are all versions there are, so that the model needs no order: it walks from 0 upwards.
  const numbers: VersionOrder = {
    name: 'numbers',
    compare: (a, b) =>
      /^\d$/.test(a) && /^\d$/.test(b) ? (Math.sign(Number(a) - Number(b)) as -1 | 0 | 1) : undefined,
  };
  const version = fc.integer({ min: 0, max: 9 }).map(String);
  const event: fc.Arbitrary<RangeEvent> = fc.oneof(
    version.map((introduced) => ({ introduced })),
    version.map((fixed) => ({ fixed })),
    version.map((lastAffected) => ({ lastAffected })),
  );
  const range = fc.array(event, { minLength: 1, maxLength: 6 });

  /** The state after walking version by version: introduced, then fixed at it; last affected ends after it. */
  function isHeld(all: readonly RangeEvent[], wanted: string): boolean {
    let held = false;
    for (let at = 0; at <= Number(wanted); at += 1) {
      if (all.some((one) => 'introduced' in one && one.introduced === String(at))) held = true;
      if (all.some((one) => 'fixed' in one && one.fixed === String(at))) held = false;
      const isPast = at < Number(wanted);
      if (isPast && all.some((one) => 'lastAffected' in one && one.lastAffected === String(at))) held = false;
    }
    return held;
  }

  it('agrees on what is affected', () => {
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 3 }), version, (ranges, wanted) => {
        const evaluation = evaluateRow(rowOf(ranges), wanted, () => numbers);
        expect(evaluation.status === 'affected').toBe(ranges.some((one) => isHeld(one, wanted)));
      }),
    );
  });

  it('names only fixes that are higher and not affected', () => {
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 3 }), version, (ranges, wanted) => {
        const evaluation = evaluateRow(rowOf(ranges), wanted, () => numbers);
        if (evaluation.status !== 'affected' || evaluation.fixedVersion === undefined) return;
        expect(Number(evaluation.fixedVersion)).toBeGreaterThan(Number(wanted));
        expect(ranges.some((one) => isHeld(one, evaluation.fixedVersion ?? ''))).toBe(false);
      }),
    );
  });
});
