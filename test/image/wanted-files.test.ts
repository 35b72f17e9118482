import { describe, expect, it } from 'vitest';
import { MemoryBudget } from '../../shared/image/memory-budget.ts';
import { type WantedFile, WantedFiles } from '../../shared/image/wanted-files.ts';

const wanted = (path: string): WantedFile => ({
  path,
  mode: 0o644,
  wanters: [],
  link: '',
  entry: 'file',
  target: undefined,
  held: undefined,
  results: [],
  issues: [],
});

describe('WantedFiles', () => {
  it('needs no more memory for a path that comes again and again', () => {
    const budget = new MemoryBudget(5000);
    const files = new WantedFiles(budget);
    for (let turn = 0; turn < 100; turn++) {
      expect(files.add(wanted('a/b/c.txt'))).toBe(true);
      files.supersede(turn % 2 === 0 ? 'a' : 'a/b/c.txt', turn % 2 !== 0);
    }
    expect(files.list()).toEqual([]);
    expect(files.add(wanted('another'))).toBe(false);
  });

  it('counts the directories above a path: one of a thousand levels makes a thousand of them', () => {
    const files = new WantedFiles(new MemoryBudget(1_000_000));
    let kept = 0;
    for (let index = 0; index < 100; index++) {
      if (files.add(wanted(`${index}/${'a/'.repeat(1_000)}c.txt`))) kept++;
    }
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(3);
    expect(files.list()).toHaveLength(kept);
  });

  it('keeps its order where memory ends between a path and the root', () => {
    for (let maxBytes = 3_000; maxBytes < 30_000; maxBytes += 100) {
      const files = new WantedFiles(new MemoryBudget(maxBytes));
      const added = ['a/b/c/d/e.txt', 'a/b/c/f.txt', 'a/g.txt'].filter((path) => files.add(wanted(path)));
      expect(files.list().map((file) => file.path)).toEqual(added);
      files.supersede('a', false);
      expect(files.list()).toEqual([]);
    }
  });

  it.each(['link', 'target'] as const)('counts the %s of a link, also where it comes later', (field) => {
    const files = new WantedFiles(new MemoryBudget(20_000));
    expect(files.add(wanted('a'))).toBe(true);
    expect(files.add({ ...wanted('a'), [field]: 'x'.repeat(4_000) })).toBe(true);
    expect(files.add({ ...wanted('b'), [field]: 'x'.repeat(4_000) })).toBe(false);
  });

  it('keeps what stands beside and above a superseded subtree', () => {
    const files = new WantedFiles(new MemoryBudget(1_000_000));
    for (const path of ['a', 'a/b/c', 'a/b/d/e', 'a/bc', 'f']) files.add(wanted(path));
    files.supersede('a/b', false);
    expect(files.list().map((file) => file.path)).toEqual(['a', 'a/bc', 'f']);
    files.supersede('a', false);
    expect(files.list().map((file) => file.path)).toEqual(['f']);
  });

  // A walk over all wanted files at each step would be five billion comparisons.
  it('ends subtrees in linear time', () => {
    const files = new WantedFiles(new MemoryBudget(1_000_000_000));
    for (let index = 0; index < 50_000; index++) files.add(wanted(`keep/${index}`));
    for (let turn = 0; turn < 100_000; turn++) {
      files.add(wanted('a/x'));
      files.supersede('a', false);
    }
    expect(files.list()).toHaveLength(50_000);
  }, 8_000);
});
