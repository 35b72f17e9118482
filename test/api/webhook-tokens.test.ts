/** Webhook tokens: how long a value is used, and what happens while the source of secrets is down. */
import { describe, expect, it } from 'vitest';
import { createWebhookTokens } from '../../shared/api/webhook-tokens.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { createMemorySecrets } from '../support/memory-secrets.ts';

const minute = 60_000;

function world(values: Readonly<Record<string, string>> = { 'acr-token': 'right' }) {
  const clock = createManualClock();
  const secrets = createMemorySecrets(values);
  return { clock, secrets, tokens: createWebhookTokens({ secrets, clock }) };
}

describe('webhook tokens', () => {
  it('accept the token of any of the named secrets and nothing else', async () => {
    const { tokens } = world({ a: 'one', b: 'two', other: 'three' });
    expect(await tokens.verify(['a', 'b'], 'one')).toBe(true);
    expect(await tokens.verify(['a', 'b'], 'two')).toBe(true);
    expect(await tokens.verify(['a', 'b'], 'three')).toBe(false);
    expect(await tokens.verify(['a', 'b'], 'onetwo')).toBe(false);
  });

  it.each([
    ['no secret is named', [], 'right'],
    ['the secret does not exist', ['missing'], 'right'],
    ['the secret is empty and so is the token', ['empty'], ''],
    ['the secret is white space and so is the token', ['blank'], ' '],
  ])('accept nothing where %s', async (_name, names, presented) => {
    const { tokens } = world({ empty: '', blank: ' \n' });
    expect(await tokens.verify(names, presented)).toBe(false);
  });

  it('accept both tokens of a secret that holds two while one is brought in', async () => {
    const { tokens } = world({ a: 'new\nold' });
    expect(await tokens.verify(['a'], 'new')).toBe(true);
    expect(await tokens.verify(['a'], 'old')).toBe(true);
    expect(await tokens.verify(['a'], 'new\nold')).toBe(false);
  });

  it('are read once for many notifications at the same time and for five minutes', async () => {
    const { tokens, secrets, clock } = world();
    await Promise.all(Array.from({ length: 50 }, () => tokens.verify(['acr-token'], 'right')));
    clock.advance(5 * minute - 1);
    await tokens.verify(['acr-token'], 'right');
    expect(secrets.reads()).toBe(1);
    clock.advance(1);
    await tokens.verify(['acr-token'], 'right');
    expect(secrets.reads()).toBe(2);
  });

  it('a rotated token is accepted at once, an old one no longer', async () => {
    const { tokens, secrets, clock } = world();
    await tokens.verify(['acr-token'], 'right');
    secrets.set('acr-token', 'newer');
    clock.advance(minute);
    expect(await tokens.verify(['acr-token'], 'newer')).toBe(true);
    expect(await tokens.verify(['acr-token'], 'right')).toBe(false);
  });

  it('wrong tokens make the secret be read at most twice a minute', async () => {
    const { tokens, secrets, clock } = world();
    for (let second = 0; second < 60; second += 1) {
      expect(await tokens.verify(['acr-token'], `guess ${second}`)).toBe(false);
      clock.advance(1_000);
    }
    expect(secrets.reads()).toBeLessThanOrEqual(2);
  });

  it('serve for an hour while the source is down, then say that they can not tell', async () => {
    const { tokens, secrets, clock } = world();
    await tokens.verify(['acr-token'], 'right');
    secrets.setDown(true);
    clock.advance(59 * minute);
    expect(await tokens.verify(['acr-token'], 'right')).toBe(true);
    await expect(tokens.verify(['acr-token'], 'wrong')).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
    clock.advance(minute);
    await expect(tokens.verify(['acr-token'], 'right')).rejects.toMatchObject({
      code: 'SECRET_UNAVAILABLE',
      retryable: true,
    });
    secrets.setDown(false);
    expect(await tokens.verify(['acr-token'], 'right')).toBe(true);
  });

  it('a source that hangs delays nobody who has an older value', async () => {
    const clock = createManualClock();
    let hangs = false;
    const read = () => (hangs ? new Promise<string>(() => {}) : Promise.resolve('right'));
    const tokens = createWebhookTokens({ secrets: { read }, clock, waitMs: 5 });
    expect(await tokens.verify(['acr-token'], 'right')).toBe(true);
    hangs = true;
    clock.advance(10 * minute);
    expect(await tokens.verify(['acr-token'], 'right')).toBe(true);
  });

  it('a secret that can not be read hides no other', async () => {
    const secrets = createMemorySecrets({ a: 'one' });
    const clock = createManualClock();
    const read = async (name: string) => {
      if (name === 'b') secrets.setDown(true);
      const value = secrets.read(name);
      secrets.setDown(false);
      return value;
    };
    const tokens = createWebhookTokens({ secrets: { read }, clock });
    expect(await tokens.verify(['b', 'a'], 'one')).toBe(true);
    await expect(tokens.verify(['b', 'a'], 'two')).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
  });
});
