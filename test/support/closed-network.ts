/** Closes the network for every test: only this machine can be reached, so no test depends on anybody's server. */
import { Socket } from 'node:net';

const connect = Socket.prototype.connect;

Socket.prototype.connect = function connectToLoopback(this: Socket, ...words: unknown[]): Socket {
  const host = hostOf(words);
  if (host !== undefined && !/^(localhost|127(\.\d+){3}|::1|\[::1\]|::ffff:127(\.\d+){3})$/.test(host)) {
    throw new Error(`expected a test to reach loopback only, found a connection to ${host}`);
  }
  return Reflect.apply(connect, this, words);
};

/** The host that a call of `connect` names; undefined for a path or the default (this machine). */
function hostOf(words: readonly unknown[]): string | undefined {
  // net.connect hands over its normalized arguments as one array.
  const [first, second]: readonly unknown[] = Array.isArray(words[0]) ? words[0] : words;
  if (typeof first === 'object' && first !== null && 'host' in first) {
    return typeof first.host === 'string' ? first.host : undefined;
  }
  return typeof first === 'number' && typeof second === 'string' ? second : undefined;
}
