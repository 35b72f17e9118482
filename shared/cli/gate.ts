/** `plimsoll gate`: asks a running Plimsoll whether an image may run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { isLoopbackHost } from '../base/addresses.ts';
import { createHttpClient, type HttpClient, isNetworkError, readBody } from '../base/http.ts';
import { PlimsollError } from '../domain/errors.ts';
import { formatReference, parseReference } from '../domain/reference.ts';
import { decisions } from '../domain/verdict.ts';
import { safeText } from '../reports/safe-text.ts';
import { parseArguments } from './arguments.ts';
import { type CommandIo, exitCodes } from './io.ts';

/** Longest --wait in seconds: a day, after which a pipeline has failed for other reasons. */
const maxWaitSeconds = 24 * 60 * 60;

/** Between two questions, in milliseconds: at first often, because most verdicts take seconds, then less so. */
const firstPollDelayMs = 250;
const maxPollDelayMs = 5_000;

/** How long the server may be silent, in milliseconds: it resolves the tag at the registry before it answers. */
const idleTimeoutMs = 30_000;

/** Most bytes of an answer: a few reasons. */
const maxAnswerBytes = 1024 * 1024;

const answerSchema = z.object({
  decision: z.enum(decisions),
  reasons: z.array(z.object({ rule: z.string(), message: z.string() })).default([]),
  verdictAt: z
    .string()
    .nullish()
    .transform((text) => text ?? undefined),
  digest: z
    .string()
    .nullish()
    .transform((text) => text ?? undefined),
});

type Answer = z.infer<typeof answerSchema>;

/** Prints the decision and its reasons. The token in PLIMSOLL_TOKEN, if there is one, goes along as Bearer. */
export async function runGate(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseArguments(
    'gate',
    args,
    { server: { type: 'string' }, environment: { type: 'string' }, wait: { type: 'string' } },
    ['<reference>'],
  );
  const reference = formatReference(parseReference(positionals[0] ?? ''));
  const url = gateUrl(values.server, reference, values.environment);
  const deadlineMs = io.now().getTime() + readWaitSeconds(values.wait) * 1000;
  const http = createHttpClient();
  try {
    const answer = await askUntil(deadlineMs, () => ask(http, url, io), io);
    await io.out(renderAnswer(reference, answer));
    switch (answer.decision) {
      case 'pass':
      case 'warn':
        return exitCodes.done;
      case 'fail':
        return exitCodes.fail;
      case 'pending':
        return exitCodes.pending;
      case 'error':
        io.err(`plimsoll: ${reference} could not be judged; the server's images page has the cause\n`);
        return exitCodes.unanswered;
    }
  } finally {
    http.close();
  }
}

function gateUrl(server: string | undefined, reference: string, environment: string | undefined): URL {
  const base = server === undefined ? null : URL.parse(server);
  if (base === null || (base.protocol !== 'https:' && base.protocol !== 'http:')) {
    throw new PlimsollError(
      'INVALID_INPUT',
      `gate: expected --server with an address such as https://plimsoll.example.com, found ${server === undefined ? 'none' : `"${server}"`}`,
    );
  }
  // Whoever sits in between could let any image pass, and read the token.
  if (base.protocol === 'http:' && !isLoopbackHost(base.host)) {
    throw new PlimsollError(
      'INSECURE_TRANSPORT',
      `gate: expected an https address, found ${base.origin}; plain HTTP is for loopback alone`,
    );
  }
  const url = new URL(`${base.pathname.replace(/\/+$/, '')}/api/gate`, base.origin);
  url.searchParams.set('reference', reference);
  if (environment !== undefined) url.searchParams.set('environment', environment);
  return url;
}

function readWaitSeconds(text: string | undefined): number {
  if (text === undefined) return 0;
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds <= maxWaitSeconds)) {
    throw new PlimsollError(
      'INVALID_INPUT',
      `gate: expected --wait with whole seconds from 0 to ${maxWaitSeconds}, found "${text}"`,
    );
  }
  return seconds;
}

/** Asks until the answer is not `pending` or the time is over. Within it a server that fails in passing is asked again. */
async function askUntil(deadlineMs: number, question: () => Promise<Answer>, io: CommandIo): Promise<Answer> {
  for (let delayMs = firstPollDelayMs; ; delayMs = Math.min(delayMs * 2, maxPollDelayMs)) {
    const leftMs = () => deadlineMs - io.now().getTime();
    try {
      const answer = await question();
      if (answer.decision !== 'pending' || leftMs() <= 0) return answer;
    } catch (error) {
      if (!(error instanceof PlimsollError) || !error.retryable || leftMs() <= 0) throw error;
    }
    await sleep(Math.max(0, Math.min(delayMs, leftMs())), undefined, { signal: io.signal });
  }
}

async function ask(http: HttpClient, url: URL, io: CommandIo): Promise<Answer> {
  const token = io.env['PLIMSOLL_TOKEN'];
  const headers = {
    accept: 'application/json',
    ...(token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` }),
  };
  try {
    const response = await http.send({ method: 'GET', url, headers, idleTimeoutMs, signal: io.signal });
    const body = await readBody(response, maxAnswerBytes);
    return readAnswer(response.status, body, url);
  } catch (error) {
    if (!isNetworkError(error)) throw error;
    throw new PlimsollError(
      'SERVER_UNREACHABLE',
      `expected an answer from ${url.origin}, found ${error.code}: check --server and that Plimsoll runs there`,
      { retryable: true, cause: error },
    );
  }
}

function readAnswer(status: number, body: Uint8Array | undefined, url: URL): Answer {
  if (status === 401 || status === 403) {
    throw new PlimsollError(
      status === 401 ? 'UNAUTHORIZED' : 'FORBIDDEN',
      `${url.origin} answered ${status}: set PLIMSOLL_TOKEN to a token that may read images there`,
    );
  }
  const value = body === undefined ? undefined : parseJson(body);
  const parsed = answerSchema.safeParse(value);
  if (status !== 200 || !parsed.success) {
    const detail = problemSchema.safeParse(value).data?.detail;
    throw new PlimsollError(
      'SERVER_UNREACHABLE',
      `expected the gate's answer from ${url.origin}, found status ${status}${detail === undefined ? '' : `: ${detail.slice(0, 500)}`}`,
      { retryable: status === 429 || status >= 500 },
    );
  }
  return parsed.data;
}

/** RFC 9457. */
const problemSchema = z.object({ detail: z.string() });

/** undefined where the body is no JSON: a proxy's error page, say. */
function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** Reasons name packages of the image, so nothing is printed as it came. */
function renderAnswer(reference: string, answer: Answer): string {
  const digest = answer.digest === undefined ? '' : ` ${answer.digest}`;
  const at = answer.verdictAt === undefined ? '' : ` (judged ${answer.verdictAt})`;
  const lines = [
    safeText(`${answer.decision.toUpperCase()} ${reference}${digest}${at}`),
    ...answer.reasons.map((reason) => `  ${safeText(`${reason.rule}: ${reason.message}`)}`),
  ];
  return `${lines.join('\n')}\n`;
}
