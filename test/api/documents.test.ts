/** docs/api.md and docs/notifications.md tell what the code does. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { routes } from '../../shared/api/routes.ts';
import { channelOf } from '../../shared/channels/registry.ts';
import { changeKinds } from '../../shared/domain/change.ts';
import { defaultTimings } from '../../shared/pipeline/timings.ts';
import { unusableReasons } from '../../shared/webhooks/contract.ts';

const api = read('api.md');
const notifications = read('notifications.md');

function read(name: string): string {
  return readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
}

describe('docs/api.md', () => {
  it.each(Object.values(routes).map((route) => `${route.method} /api/${route.path}`))('names %s', (route) => {
    expect(api).toContain(route);
  });

  it.each([...unusableReasons, ...changeKinds])('explains %s', (word) => {
    expect(api).toContain(`\`${word}\``);
  });
});

describe('docs/notifications.md', () => {
  it('has a verification that takes what is sent and nothing else', async () => {
    const code = /```js\n([\s\S]*?)```/.exec(notifications)?.[1] ?? '';
    const module: { isGenuine(secret: string, headers: object, body: string, nowMs: number): boolean } =
      await import(`data:text/javascript,${encodeURIComponent(code)}`);
    const secrets = [
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'a plain text of some length'.replaceAll(' ', '-'),
    ];
    const now = new Date('2026-03-01T12:00:00Z');
    const { headers, body } = channelOf().request({
      deliveryId: 'msg_1',
      url: 'https://receiver.example/',
      body: '{"type":"größer"}',
      secret: secrets.join('\n'),
      now,
    });
    for (const secret of secrets) {
      expect(module.isGenuine(secret, headers, body, now.getTime())).toBe(true);
      expect(module.isGenuine(secret, headers, body, now.getTime() + 301_000)).toBe(false);
      expect(module.isGenuine(secret, headers, `${body} `, now.getTime())).toBe(false);
      expect(module.isGenuine(`${secret}BBBB`, headers, body, now.getTime())).toBe(false);
    }
  });

  it('names the delays and the time limit that are in force', () => {
    const delays = defaultTimings.deliveryDelaysMs.map((ms) =>
      ms < 60_000 ? `${ms / 1_000} s` : ms < 3_600_000 ? `${ms / 60_000} min` : `${ms / 3_600_000} h`,
    );
    const text = notifications.replaceAll('\n', ' ');
    expect(text).toContain(`${delays.slice(0, -1).join(', ')} and ${delays.at(-1)}`);
    expect(text).toContain(`within ${defaultTimings.deliveryTimeoutMs / 1_000} seconds`);
  });
});
