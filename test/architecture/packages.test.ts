import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { repositoryPath } from './source-files.ts';

const versions = z.record(z.string(), z.string());
const own = z
  .object({
    engines: z.object({ node: z.string() }),
    main: z.string(),
    scripts: versions,
    dependencies: versions,
    devDependencies: versions,
    optionalDependencies: versions,
  })
  .parse(read('package.json'));
const locked = z
  .object({
    packages: z.record(
      z.string(),
      z.object({
        version: z.string().optional(),
        resolved: z.string().optional(),
        integrity: z.string().optional(),
        hasInstallScript: z.boolean().optional(),
      }),
    ),
  })
  .parse(read('package-lock.json')).packages;

describe('the packages', () => {
  it('are named in exact versions', () => {
    const named = Object.entries({
      ...own.dependencies,
      ...own.devDependencies,
      ...own.optionalDependencies,
    });
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
  });

  it('come from the registry with a hash', () => {
    const entries = Object.entries(locked).filter(([path]) => path !== '');
    expect(entries.length).toBeGreaterThan(100);
    expect(
      entries.filter(
        ([, one]) =>
          one.integrity === undefined || one.resolved?.startsWith('https://registry.npmjs.org/') !== true,
      ),
    ).toEqual([]);
  });

  it('run no script while they are installed: the allow list is empty', () => {
    const settings = readFileSync(join(repositoryPath, '.npmrc'), 'utf8').split('\n');
    expect(settings).toContain('ignore-scripts=true');
    expect(settings.filter((line) => line.startsWith('allow-scripts'))).toEqual([]);
    expect(Object.keys(own.scripts).filter((name) => /^(pre|post)|^(install|prepare)$/.test(name))).toEqual(
      [],
    );
  });

  it('hold no development tool that the product imports', () => {
    const product = Object.keys(own.dependencies);
    expect(product.filter((name) => Object.hasOwn(own.devDependencies, name))).toEqual([]);
  });

  it('promise the first Node that runs TypeScript as it is', () => {
    expect(own.engines.node).toBe('>=22.18');
  });
});

function read(path: string): unknown {
  return JSON.parse(readFileSync(join(repositoryPath, path), 'utf8'));
}
