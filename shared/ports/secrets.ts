/** Secrets at the moment of use (Key Vault through an identity). */

export interface Secrets {
  /** The current value, or undefined where no enabled secret of this name exists.
   *  Throws SECRET_UNAVAILABLE (retryable). Values never appear in logs, messages, documents or errors. */
  read(name: string): Promise<string | undefined>;
}
