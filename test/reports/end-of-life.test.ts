import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { endOfLifeOf } from '../../shared/reports/end-of-life.ts';

const data = '/usr/share/distro-info';
const hasData = existsSync(`${data}/debian.csv`) && existsSync(`${data}/ubuntu.csv`);

describe('the end of life of a distribution', () => {
  it.each([
    ['what the image says first', { id: 'debian', versionId: '12', supportEnd: '2030-01-01' }, '2030-01-01'],
    ['the publisher’s date', { id: 'debian', versionId: '12' }, '2028-06-30'],
    ['nothing of an unknown release', { id: 'debian', versionId: '99' }, undefined],
    ['nothing of a distribution without a version', { id: 'debian' }, undefined],
    ['nothing of a name that every object has', { id: '__proto__' }, undefined],
  ])('is %s', (_, distro, expected) => {
    expect(endOfLifeOf(distro)).toBe(expected);
  });

  it.skipIf(!hasData)(
    `is what Debian's distro-info-data says${hasData ? '' : ' (skipped: no distro-info-data on this machine)'}`,
    () => {
      let compared = 0;
      for (const [id, column] of [
        ['debian', 'eol-lts'],
        ['ubuntu', 'eol'],
      ] as const) {
        const [head = '', ...rows] = readFileSync(`${data}/${id}.csv`, 'utf8').trim().split('\n');
        const index = head.split(',').indexOf(column);
        for (const row of rows) {
          const cells = row.split(',');
          const known = endOfLifeOf({ id, versionId: cells[0]?.replace(' LTS', '') ?? '' });
          if (known === undefined) continue;
          compared += 1;
          expect(cells[index], row).toBe(known);
        }
      }
      expect(compared).toBeGreaterThan(10);
    },
  );
});
