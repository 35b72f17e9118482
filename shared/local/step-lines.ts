/** Shows the app's log events as lines that a person can follow. */
import type { Log, LogFields } from '../ports/log.ts';
import { safeText } from '../reports/safe-text.ts';

type Line = (fields: LogFields) => string;

const short = (value: unknown): string =>
  typeof value === 'string' ? value.replace(/^sha256:/, '').slice(0, 12) : '';
const megabytes = (value: unknown): string => `${(Number(value) / 1_000_000).toFixed(1)} MB`;

/** What is shown of each event; every other one only where something is wrong. */
const lines: Readonly<Record<string, Line>> = {
  'webhook.ignored': (fields) => `notification: ${fields['ignored']} event(s) will not be scanned`,
  ignored: (fields) => `not scanned: ${fields['registry']}/${fields['repository']} (${fields['reason']})`,
  'image-planned': (fields) =>
    `plan    ${fields['repository']}@${short(fields['digest'])}: ${fields['layers']} layers, ${fields['unread']} to read`,
  'layer-read': (fields) =>
    `read    layer ${short(fields['layer'])}: ${fields['entries']} files, ${megabytes(fields['compressedBytes'])}`,
  'image-judged': (fields) =>
    `judge   ${fields['repository']}@${short(fields['digest'])}: ${fields['decision']}`,
  delivered: (fields) => `tell    subscription ${fields['subscription']}`,
  'advisories-synced': (fields) => `sync    advisories revision ${fields['revision']} from ${fields['feed']}`,
};

/** A log that prints through `write`; lines of the app are JSON objects with an `event`. */
export function createStepLog(write: (line: string) => void): Log {
  const show = (isTrouble: boolean, text: string, fields: LogFields = {}): void => {
    const { event, rest } = parse(text, fields);
    const line = lines[event];
    if (line !== undefined) write(`  ${safeText(line(rest))}`);
    else if (isTrouble) write(`  !       ${safeText(`${event} ${JSON.stringify(rest)}`)}`);
  };
  return {
    info: (event, fields) => show(false, event, fields),
    warn: (event, fields) => show(true, event, fields),
    error: (event, fields) => show(true, event, fields),
  };
}

function parse(text: string, fields: LogFields): { event: string; rest: LogFields } {
  // The runner hands on what the app logged as the field `message`.
  const message = typeof fields['message'] === 'string' ? fields['message'] : text;
  if (!message.startsWith('{')) return { event: text, rest: fields };
  try {
    const { event, ...rest } = JSON.parse(message) as { event?: unknown } & Record<string, string>;
    return typeof event === 'string' ? { event, rest } : { event: text, rest: fields };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { event: text, rest: fields };
  }
}
