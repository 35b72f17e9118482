/** Fetching a feed: where it may lead and what an error tells of its address. */
import { describe, expect, it } from 'vitest';
import { type DownloadOptions, fetchFile, parseFeedUrl } from '../../shared/advisories/download.ts';
import type { HttpClient, HttpResponse } from '../../shared/base/http.ts';

const never: AbortSignal = new AbortController().signal;

/** Answers with the status and location of the table, by URL; everything else is the file `x`. */
function options(answers: Readonly<Record<string, readonly [number, string?]>>): {
  readonly download: DownloadOptions;
  readonly asked: string[];
} {
  const asked: string[] = [];
  const http: HttpClient = {
    async send({ url }): Promise<HttpResponse> {
      asked.push(url.href);
      const [status, location] = answers[url.href] ?? [200];
      return {
        status,
        headers: location === undefined ? {} : { location },
        remoteAddress: undefined,
        body: (async function* () {
          yield Buffer.from('x');
        })(),
        discard: () => {},
      };
    },
    close: () => {},
  };
  const retries = { attempts: 1, baseDelayMs: 1, maxDelayMs: 1 };
  return { download: { http, retries, idleTimeoutMs: 1_000, signal: never }, asked };
}

const feed = new URL('https://feed.example/all.zip');

describe('a redirect of a feed', () => {
  it('is followed to another https host', async () => {
    const { download } = options({ [feed.href]: [302, 'https://storage.example/all.zip'] });
    expect(await fetchFile(feed, 10, download)).toEqual(Buffer.from('x'));
  });

  it.each([
    'http://storage.example/all.zip',
    'http://127.0.0.1:8081/all.zip',
    'http://localhost/all.zip',
    'https://localhost/all.zip',
    'https://169.254.169.254/all.zip',
    'https://10.0.0.4/all.zip',
    'https://[::ffff:127.0.0.1]/all.zip',
    'file:///etc/passwd',
  ])('of a feed elsewhere is not followed to %s', async (target) => {
    const { download, asked } = options({ [feed.href]: [302, target] });
    await expect(fetchFile(feed, 10, download)).rejects.toMatchObject({ code: 'INSECURE_TRANSPORT' });
    expect(asked).toEqual([feed.href]);
  });

  it('of a feed on this machine may stay there', async () => {
    const local = new URL('http://127.0.0.1:8080/all.zip');
    const { download } = options({ [local.href]: [302, 'http://127.0.0.1:8081/all.zip'] });
    expect(await fetchFile(local, 10, download)).toEqual(Buffer.from('x'));
  });
});

describe('the address of a feed', () => {
  it.each([
    'https://user:secret@feed.example/',
    'https://user@feed.example/',
    'https://feed.example/?sig=secret',
  ])('holds no secret: %s is refused without being repeated', (text) => {
    expect(() => parseFeedUrl(text)).toThrow(
      /^expected the address of a feed without user, password and query/,
    );
    expect(() => parseFeedUrl(text)).not.toThrow(/secret/);
  });

  it('is shown in errors without the signature that a redirect gave it', async () => {
    const signed = 'https://storage.example/all.zip?sig=secret';
    const { download } = options({ [feed.href]: [302, signed], [signed]: [403] });
    const failure = await fetchFile(feed, 10, download).catch((error: unknown) => String(error));
    expect(failure).toContain('https://feed.example/all.zip');
    expect(failure).not.toContain('secret');
  });
});
