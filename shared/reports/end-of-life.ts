/** Until when a distribution's publisher supports a release in public. */
import type { Distro } from '../domain/package.ts';

/**
 * `YYYY-MM-DD`: what the image itself says (SUPPORT_END of os-release), else the publisher's date; undefined where
 * neither is known. Paid extensions do not count.
 */
export function endOfLifeOf(distro: Distro): string | undefined {
  return distro.supportEnd ?? endOfLifeDates[`${distro.id}:${distro.versionId ?? ''}`];
}

/** From distro-info-data 0.58: `eol-lts` of debian.csv, `eol` of ubuntu.csv. */
const endOfLifeDates: Readonly<Record<string, string | undefined>> = {
  'debian:8': '2020-06-30',
  'debian:9': '2022-06-30',
  'debian:10': '2024-06-30',
  'debian:11': '2026-08-31',
  'debian:12': '2028-06-30',
  'debian:13': '2030-06-30',
  'ubuntu:14.04': '2019-04-25',
  'ubuntu:16.04': '2021-04-30',
  'ubuntu:18.04': '2023-05-31',
  'ubuntu:20.04': '2025-05-29',
  'ubuntu:22.04': '2027-06-01',
  'ubuntu:23.10': '2024-07-11',
  'ubuntu:24.04': '2029-05-31',
  'ubuntu:24.10': '2025-07-10',
  'ubuntu:25.04': '2026-01-15',
  'ubuntu:25.10': '2026-07-09',
  'ubuntu:26.04': '2031-05-29',
};
