/** Who calls the API on one machine: whoever sits at it, and no page that a browser there has open. */
import { isLoopbackHost } from '../base/addresses.ts';
import type { Caller, Callers } from '../ports/caller.ts';

const operator: Caller = { id: 'local-operator', roles: ['reader', 'operator', 'administrator'] };

/** The fixed operator for every request that this machine itself made; it proves nothing, so it is for one machine. */
export const localOperator: Callers = {
  async identify(headers) {
    // A web page can send requests here too: under its own name as origin, or, having made its host name point to this
    // machine (DNS rebinding), under that name as host.
    const origin = headers['origin'];
    const isOwn = isLoopbackHost(headers['host'] ?? '') && (origin === undefined || isLoopbackOrigin(origin));
    return isOwn ? operator : undefined;
  },
};

function isLoopbackOrigin(origin: string): boolean {
  const url = URL.parse(origin);
  return url !== null && isLoopbackHost(url.host);
}
