/** Who calls the API. */

export type Role = 'reader' | 'operator' | 'administrator';

export interface Caller {
  /** Stable id of the caller, for audit. */
  readonly id: string;
  readonly roles: readonly Role[];
}

export interface Callers {
  /** The verified caller, or undefined where the request proves none. */
  identify(headers: Readonly<Record<string, string | undefined>>): Promise<Caller | undefined>;
}
