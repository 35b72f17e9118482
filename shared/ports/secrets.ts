/** Secrets at the moment of use (Key Vault through an identity). */

export interface Secrets {
  /** The current value, or undefined where no enabled secret of this name exists.
   *  Throws SECRET_UNAVAILABLE (retryable), INVALID_INPUT for a name that is not made of 0-9 a-z A-Z - alone. Values never appear in logs, messages, documents or errors. */
  read(name: string): Promise<string | undefined>;
}
