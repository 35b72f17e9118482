/** The queues that the runner polls: what it needs of Storage queues, so that tests can stand in for them. */

export interface QueueMessage {
  readonly id: string;
  /** Proves who received the message last; changes with each renewal. */
  readonly popReceipt: string;
  /** As it lies in the queue. */
  readonly text: string;
  /** 1 at the first receiving. */
  readonly dequeueCount: number;
  readonly insertedAt: Date;
  readonly expiresAt: Date | undefined;
  readonly nextVisibleAt: Date | undefined;
}

export interface QueueSource {
  /** At most `max` visible messages, hidden for leaseMs. A queue that is not there counts as empty. */
  receive(queue: string, max: number, leaseMs: number): Promise<readonly QueueMessage[]>;
  /** Hides the message for hiddenMs from now (0 shows it at once) and returns its new receipt; undefined where
   *  somebody else received it meanwhile or it is gone. */
  hide(queue: string, message: QueueMessage, hiddenMs: number): Promise<string | undefined>;
  /** Does nothing where somebody else received it meanwhile or it is gone. */
  remove(queue: string, message: QueueMessage): Promise<void>;
  /** Creates the queue where it is not there. The message never expires. */
  send(queue: string, text: string): Promise<void>;
}
