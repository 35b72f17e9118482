/** A server on loopback that is laid out as the OSV bucket and records what was asked of it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { zipOf } from './zip-writer.ts';

export interface BucketRecord {
  readonly id: string;
  readonly modified: string;
  readonly [field: string]: unknown;
}

export interface BucketServer {
  readonly url: string;
  /** Paths that were asked for, as they stood in the request. */
  readonly requests: string[];
  /** Records by ecosystem; change them to change what is served. */
  readonly content: Map<string, Map<string, BucketRecord>>;
  /** Paths that answer with another status instead. */
  readonly statuses: Map<string, number>;
  close(): Promise<void>;
}

export async function startBucketServer(): Promise<BucketServer> {
  const content = new Map<string, Map<string, BucketRecord>>();
  const requests: string[] = [];
  const statuses = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    const status = statuses.get(path);
    const body = status === undefined ? bodyOf(content, decodeURIComponent(path)) : '';
    response.writeHead(status ?? (body === undefined ? 404 : 200));
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    content,
    statuses,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function bodyOf(content: BucketServer['content'], path: string): string | Buffer | undefined {
  const [, ecosystem = '', file = ''] = path.split('/');
  if (ecosystem === 'ecosystems.txt') return [...content.keys(), ''].join('\n');
  const records = content.get(ecosystem);
  if (records === undefined) return undefined;
  if (file === 'all.zip') {
    return zipOf(
      [...records.values()].map((one) => ({ name: `${one.id}.json`, content: JSON.stringify(one) })),
    );
  }
  if (file === 'modified_id.csv')
    return [...records.values()].map((one) => `${one.modified},${one.id}\n`).join('');
  const record = records.get(file.replace(/\.json$/, ''));
  return record === undefined ? undefined : JSON.stringify(record);
}
