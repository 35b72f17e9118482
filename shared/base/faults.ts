/** Faults of one input: the first is told, the others are counted. */

export class Faults {
  #first: string | undefined;
  #count = 0;

  note(fault: string): void {
    this.#first ??= fault;
    this.#count += 1;
  }

  /** The first fault and the number of the others; undefined where there was none. */
  summary(): string | undefined {
    if (this.#first === undefined || this.#count === 1) return this.#first;
    return `${this.#first} (and ${this.#count - 1} more faults in this file)`;
  }
}

/** Start of a text for a message, so that a hostile one stays short. */
export function excerpt(text: string | undefined): string {
  return text === undefined ? 'nothing' : `"${text.slice(0, 80)}"`;
}
