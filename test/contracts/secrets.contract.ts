/** What every source of secrets must do. */
import { describe, expect, it } from 'vitest';
import type { Secrets } from '../../shared/ports/secrets.ts';

export interface SecretsUnderTest {
  /** A reader that remembers nothing yet. */
  reader(): Secrets;
  set(name: string, value: string): Promise<void>;
}

/** Runs the suite against one kind of source; `start` is called once, before the first test. */
export function describeSecrets(name: string, start: () => Promise<SecretsUnderTest>): void {
  describe(name, () => {
    let started: Promise<SecretsUnderTest> | undefined;
    const underTest = (): Promise<SecretsUnderTest> => {
      started ??= start();
      return started;
    };

    it('gives the value of a secret exactly', async () => {
      const { reader, set } = await underTest();
      const value = ' whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw+/= "ü😀\n';
      await set('subscription-one', value);
      expect(await reader().read('subscription-one')).toBe(value);
    });

    it('gives undefined where there is no such secret', async () => {
      const { reader } = await underTest();
      expect(await reader().read('never-set')).toBeUndefined();
    });

    it('gives the newest value to a reader that remembers none', async () => {
      const { reader, set } = await underTest();
      await set('rotated', 'old');
      await set('rotated', 'new');
      expect(await reader().read('rotated')).toBe('new');
    });

    it.for(['', 'a/b', '../x', 'a b', 'a.b', 'a_b', 'x'.repeat(128), '__proto__', 'ü'])(
      'refuses the name %j',
      async (name) => {
        const { reader } = await underTest();
        await expect(reader().read(name)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
      },
    );
  });
}
