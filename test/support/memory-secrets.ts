/** In-memory secrets. */
import { PlimsollError } from '../../shared/domain/errors.ts';
import { checkSecretName } from '../../shared/ports/limits.ts';
import type { Secrets } from '../../shared/ports/secrets.ts';

export interface MemorySecrets extends Secrets {
  /** Undefined removes it. */
  set(name: string, value: string | undefined): void;
  /** While down, every read throws SECRET_UNAVAILABLE. */
  setDown(isDown: boolean): void;
  reads(): number;
}

/** Secrets with these names and values. */
export function createMemorySecrets(initial: Readonly<Record<string, string>> = {}): MemorySecrets {
  const values = new Map(Object.entries(initial));
  let down = false;
  let reads = 0;
  return {
    async read(name) {
      checkSecretName(name);
      reads += 1;
      if (down) {
        throw new PlimsollError('SECRET_UNAVAILABLE', `secret ${name} could not be read: the store is down`, {
          retryable: true,
        });
      }
      return values.get(name);
    },
    set(name, value) {
      if (value === undefined) values.delete(name);
      else values.set(name, value);
    },
    setDown(isDown) {
      down = isDown;
    },
    reads: () => reads,
  };
}
