/** Files that a person names to a command: read within bounds, written whole or not at all. */
import type { Stats } from 'node:fs';
import { open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PlimsollError } from '../domain/errors.ts';

/** The file as UTF-8. Throws INVALID_INPUT where it cannot be read, TOO_LARGE past maxBytes; `what` names it. */
export async function readNamedFile(path: string, what: string, maxBytes: number): Promise<string> {
  try {
    const file = await open(path);
    try {
      // One byte more than allowed tells a file that is too large, also one that never ends.
      const buffer = Buffer.alloc(maxBytes + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length);
        if (bytesRead === 0) return buffer.toString('utf8', 0, length);
        length += bytesRead;
        if (length > maxBytes) {
          throw new PlimsollError('TOO_LARGE', `${path}: expected ${what} of at most ${maxBytes} bytes`);
        }
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileError(error, path, `expected ${what}`);
  }
}

/** Writes the file beside its place and then moves it there, so that a reader never sees half of it. What is no ordinary
 *  file (a device, a pipe) is written to as it is. Throws INVALID_INPUT where it cannot be written. */
export async function writeNamedFile(path: string, data: string | Uint8Array): Promise<void> {
  try {
    const target = await realTarget(path);
    if (target === undefined) {
      await writeFile(path, data);
      return;
    }
    const beside = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
    try {
      await writeFile(beside, data, { flag: 'wx', flush: true });
      await rename(beside, target);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
  } catch (error) {
    throw fileError(error, path, 'expected a file that can be written');
  }
}

/** Whether a folder stands at the path. */
export async function isFolder(path: string): Promise<boolean> {
  const found = await statOrUndefined(path);
  return found?.isDirectory() ?? false;
}

/** Where to move the file to, behind links; undefined where something other than a file stands there. */
async function realTarget(path: string): Promise<string | undefined> {
  const found = await statOrUndefined(path);
  if (found === undefined) return path;
  return found.isFile() ? realpath(path) : undefined;
}

async function statOrUndefined(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT' || errorCodeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function fileError(error: unknown, path: string, expected: string): unknown {
  const code = errorCodeOf(error);
  if (code === undefined || error instanceof PlimsollError) return error;
  return new PlimsollError('INVALID_INPUT', `${path}: ${expected}, found ${code}`, { cause: error });
}

/** The code of an error of the operating system. */
function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
