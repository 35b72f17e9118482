/** The tokens that webhooks send: fetched at first use, kept for minutes, and longer while the secret source is down. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { PlimsollError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Secrets } from '../ports/secrets.ts';

export interface WebhookTokens {
  /** Whether the presented token is one of those that the secrets of these names hold. A secret may hold several,
   *  separated by white space, so that a new one can be brought in before the old one goes.
   *  Throws SECRET_UNAVAILABLE (retryable) where that can't be told now. */
  verify(secretNames: readonly string[], presented: string): Promise<boolean>;
}

export interface WebhookTokenOptions {
  readonly secrets: Secrets;
  readonly clock: Clock;
  /** How long a value is used without asking again. */
  readonly freshMs?: number;
  /** How long a value is used while the source does not answer. */
  readonly staleMs?: number;
  /** Least time between two questions that a wrong token or a source that is down causes. */
  readonly askAgainMs?: number;
  /** How long a caller waits for a new value where an older one is at hand: a registry waits seconds only. */
  readonly waitMs?: number;
}

/** Tokens over a source of secrets; one value for the whole process. */
export function createWebhookTokens(options: WebhookTokenOptions): WebhookTokens {
  const { secrets, clock } = options;
  const { freshMs = 300_000, staleMs = 3_600_000, askAgainMs = 30_000, waitMs = 500 } = options;
  const entries = new Map<string, Entry>();

  return { verify };

  async function verify(secretNames: readonly string[], presented: string): Promise<boolean> {
    if (presented === '') return false;
    const names = [...new Set(secretNames)];
    const read = await entriesOf(names, freshMs);
    if (matchesAny(presented, read)) return true;
    const silent = read.find((entry) => !isYounger(entry.readAtMs, freshMs));
    if (silent !== undefined) throw unavailable(silent.failure);
    // A token that was rotated a moment ago looks like a wrong one; asking is limited, so nobody makes us ask at will.
    return matchesAny(presented, await entriesOf(names, Math.min(askAgainMs, freshMs)));
  }

  /** The entries of the names; one whose source is down does not keep another from matching. */
  async function entriesOf(names: readonly string[], maxAgeMs: number): Promise<readonly Entry[]> {
    return Promise.all(names.map((name) => current(name, maxAgeMs)));
  }

  /** The entry, asked for again where it is older than `maxAgeMs`; still the old one where the source is silent. */
  async function current(name: string, maxAgeMs: number): Promise<Entry> {
    let entry = entries.get(name);
    if (entry === undefined) {
      entry = {
        digests: [],
        readAtMs: undefined,
        askedAtMs: undefined,
        asking: undefined,
        failure: undefined,
      };
      entries.set(name, entry);
    }
    if (isYounger(entry.readAtMs, maxAgeMs)) return entry;
    const usable = isYounger(entry.readAtMs, staleMs);
    if (usable && entry.asking === undefined && isYounger(entry.askedAtMs, askAgainMs)) return entry;
    const asking = entry.asking ?? ask(name, entry);
    await (usable ? Promise.race([asking, elapsed(waitMs)]) : asking);
    if (!isYounger(entry.readAtMs, staleMs)) entry.digests = [];
    return entry;
  }

  function ask(name: string, entry: Entry): Promise<void> {
    entry.askedAtMs = clock.now().getTime();
    entry.asking = secrets
      .read(name)
      .then(
        (value) => {
          entry.digests = (value ?? '')
            .split(/\s+/)
            .filter((token) => token !== '')
            .map(digest);
          entry.readAtMs = clock.now().getTime();
          entry.failure = undefined;
        },
        (error: unknown) => {
          if (!(error instanceof PlimsollError)) throw error;
          entry.failure = error;
        },
      )
      .finally(() => {
        entry.asking = undefined;
      });
    return entry.asking;
  }

  function isYounger(atMs: number | undefined, maxAgeMs: number): boolean {
    return atMs !== undefined && clock.now().getTime() - atMs < maxAgeMs;
  }
}

interface Entry {
  digests: readonly Buffer[];
  /** When the source answered last. */
  readAtMs: number | undefined;
  askedAtMs: number | undefined;
  asking: Promise<void> | undefined;
  failure: PlimsollError | undefined;
}

/** Compares hashes, which have one length, and always all of them: the time tells nothing of a token. */
function matchesAny(presented: string, entries: readonly Entry[]): boolean {
  const wanted = digest(presented);
  let matches = false;
  for (const entry of entries) {
    for (const known of entry.digests) matches = timingSafeEqual(known, wanted) || matches;
  }
  return matches;
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function unavailable(cause: PlimsollError | undefined): PlimsollError {
  return new PlimsollError(
    'SECRET_UNAVAILABLE',
    'the webhook token can not be checked now, for the secret source does not answer: send again later',
    { retryable: true, ...(cause === undefined ? {} : { cause }) },
  );
}

function elapsed(waitMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, waitMs).unref();
  });
}
