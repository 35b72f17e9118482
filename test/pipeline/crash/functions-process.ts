/** A child process that runs the pipeline's steps, and the port calls that it makes. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { PlimsollError } from '../../../shared/domain/errors.ts';
import type { ToChild, ToParent, WireError, Work } from './protocol.ts';

/** A call of a port, as the child asks for it. */
export interface PortCall {
  readonly port: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

export interface WorkResult {
  readonly killed: boolean;
  /** Status of a webhook's answer. */
  readonly status?: number | undefined;
  /** What the step threw, where it threw. */
  readonly error?: string | undefined;
}

/** Performs a call; `kill` where the process is to die without an answer. */
export type Perform = (call: PortCall) => Promise<{ readonly result: unknown } | 'kill'>;

export class FunctionsProcess {
  readonly #child: ChildProcess;
  readonly #ready: Promise<unknown>;

  constructor(entry: string) {
    this.#child = fork(entry, {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // Without the test runner's own flags, and with the compiled code of the process before: it starts sooner.
      execArgv: [],
      env: { ...process.env, NODE_COMPILE_CACHE: join(dirname(entry), 'compiled') },
    });
    this.#ready = once(this.#child, 'message');
  }

  /** Forgets everything of an earlier run. */
  async reset(): Promise<void> {
    await this.#ready;
    this.#tell({ type: 'reset' });
  }

  /** Hands over the work and answers its calls until it is done or the process was killed. */
  async run(work: Work, now: () => Date, perform: Perform): Promise<WorkResult> {
    return new Promise((resolve, reject) => {
      const answer = async (message: ToParent): Promise<void> => {
        if (message.type === 'done') finish({ killed: false, status: message.status, error: message.error });
        if (message.type !== 'call') return;
        try {
          const outcome = await perform(message);
          if (outcome === 'kill') {
            await this.kill();
            finish({ killed: true });
            return;
          }
          this.#tell({ type: 'answer', id: message.id, nowMs: now().getTime(), result: outcome.result });
        } catch (error) {
          this.#tell({ type: 'failure', id: message.id, error: wireError(error) });
        }
      };
      const onMessage = (message: ToParent): void => void answer(message).catch(reject);
      const onExit = (code: number | null): void =>
        reject(new Error(`the functions' process ended with ${code}`));
      const finish = (result: WorkResult): void => {
        this.#child.off('message', onMessage);
        this.#child.off('exit', onExit);
        resolve(result);
      };
      this.#child.on('message', onMessage);
      this.#child.on('exit', onExit);
      this.#tell({ type: 'work', nowMs: now().getTime(), work });
    });
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.removeAllListeners('exit');
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  #tell(message: ToChild): void {
    if (this.#child.connected) this.#child.send(message);
  }
}

function wireError(error: unknown): WireError {
  if (error instanceof PlimsollError) {
    return { code: error.code, message: error.message, retryable: error.retryable };
  }
  return {
    code: undefined,
    message: error instanceof Error ? error.message : String(error),
    retryable: false,
  };
}
