import { describe, expect, it } from 'vitest';
import { findRings, findWrongImports, floors, memberOf, plugInRooms, roomOf } from './import-rules.ts';
import { listFiles, parseSource, readSourceFiles } from './source-files.ts';

const files = readSourceFiles(['shared', 'functions']);

describe('the imports of the product', () => {
  it('are really walked', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(files.flatMap((file) => file.imports).length).toBeGreaterThan(50);
  });

  it('point one way', () => {
    expect(files.flatMap(findWrongImports)).toEqual([]);
  });

  it('make no ring', () => {
    expect(findRings(files)).toEqual([]);
  });

  it('stand in rooms of the architecture', () => {
    const rooms: readonly string[] = floors.flat();
    expect(files.map((file) => file.path).filter((path) => !rooms.includes(roomOf(path) ?? ''))).toEqual([]);
  });

  it.each(plugInRooms)('name every member of %s in its registry', (room) => {
    const paths = listFiles(`shared/${room}`).filter((path) => path.endsWith('.ts'));
    const members = new Set(paths.flatMap((path) => memberOf(path) ?? []));
    const registry = files.find((file) => file.path === `shared/${room}/registry.ts`);
    const named = new Set(registry?.imports.flatMap((one) => memberOf(one.path ?? '') ?? []));
    expect([...members].filter((member) => !named.has(member))).toEqual([]);
    if (members.size > 0) {
      expect(paths).toContain(`shared/${room}/contract.ts`);
      expect(registry).toBeDefined();
    }
  });
});

describe('the rule', () => {
  const breaks = [
    ['base may not know the domain', 'shared/base/a.ts', "import { b } from '../domain/b.ts';"],
    ['a type alone counts too', 'shared/domain/a.ts', "import type { B } from '../ports/b.ts';"],
    ['a type named inline counts too', 'shared/domain/a.ts', "type B = import('../ports/b.ts').B;"],
    ['a dynamic import counts too', 'shared/image/a.ts', "const b = await import('../pipeline/b.ts');"],
    ['a re-export counts too', 'shared/domain/a.ts', "export { b } from '../image/b.ts';"],
    ['azure does not know local', 'shared/azure/a.ts', "import { b } from '../local/b.ts';"],
    ['functions do not know the command line', 'functions/a.ts', "import { b } from '../shared/cli/b.ts';"],
    ['siblings do not know one another', 'shared/versions/deb.ts', "import { b } from './rpm.ts';"],
    ['a member is named by its registry', 'shared/matching/a.ts', "import { b } from '../versions/deb.ts';"],
    ['Azure stays in its rooms', 'shared/pipeline/a.ts', "import { app } from '@azure/functions';"],
    ['no product file imports a test', 'shared/base/a.ts', "import { b } from '../../test/support/b.ts';"],
    ['an unknown room is an error', 'shared/odds/a.ts', "import { b } from '../base/b.ts';"],
  ] as const;

  it.each(breaks)('%s', (_, path, text) => {
    expect(findWrongImports(parseSource(path, text))).toHaveLength(1);
  });

  const keeps = [
    ['ports may know the domain', 'shared/ports/a.ts', "import type { B } from '../domain/b.ts';"],
    ['a registry names its members', 'shared/versions/registry.ts', "import { b } from './deb.ts';"],
    ['a member may have files of its own', 'shared/catalogers/npm/a.ts', "import { b } from './b.ts';"],
    ['a member knows its contract', 'shared/catalogers/npm/a.ts', "import type { B } from '../contract.ts';"],
    ['local prepares what Azure adapters use', 'shared/local/a.ts', "import { b } from '../azure/b.ts';"],
    ['the Azure room knows Azure', 'shared/azure/a.ts', "import { b } from '@azure/cosmos';"],
  ] as const;

  it.each(keeps)('%s', (_, path, text) => {
    expect(findWrongImports(parseSource(path, text))).toEqual([]);
  });

  it('finds a ring, but not one of types', () => {
    const a = parseSource('shared/base/a.ts', "import { b } from './b.ts';");
    const ring = parseSource('shared/base/b.ts', "import { a } from './a.ts';");
    const types = parseSource('shared/base/b.ts', "import type { A } from './a.ts';");
    expect(findRings([a, ring])).toEqual(['shared/base/a.ts > shared/base/b.ts > shared/base/a.ts']);
    expect(findRings([a, types])).toEqual([]);
  });
});
