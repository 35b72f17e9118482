/** Debian's docker-registry on loopback, telling a webhook of its pushes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, waitUntil } from './started-machine.ts';

export interface DockerRegistry {
  /** `127.0.0.1:5000`. */
  readonly host: string;
  stop(): Promise<void>;
}

/** Starts it with its data in the folder; `webhook` is told of everything but pulls. */
export async function startDockerRegistry(
  folder: string,
  webhook: { readonly url: string; readonly token: string },
): Promise<DockerRegistry> {
  const host = `127.0.0.1:${await freePort()}`;
  const config = {
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: host },
    notifications: {
      endpoints: [
        {
          name: 'plimsoll',
          url: webhook.url,
          headers: { Authorization: [`Bearer ${webhook.token}`] },
          timeout: '1s',
          threshold: 5,
          backoff: '1s',
          ignore: { actions: ['pull'] },
        },
      ],
    },
  };
  // JSON is YAML.
  const file = join(folder, 'config.yml');
  await writeFile(file, JSON.stringify(config));
  const child = spawn('docker-registry', ['serve', file], { stdio: 'ignore' });
  await waitUntil('docker-registry answers', () =>
    fetch(`http://${host}/v2/`).then(
      (answer) => answer.ok,
      () => false,
    ),
  );
  return { host, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
