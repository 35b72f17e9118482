/** Writes a file so that a reader, or a start after a crash, sees the old content or the new one, never half of it. */
import { open, rename } from 'node:fs/promises';

/** Replaces the file by a rename. The folder must exist; the file is for this user alone. */
export async function replaceFile(path: string, content: string): Promise<void> {
  const temporary = `${path}.${process.pid}.new`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(content);
    // Without it some file systems keep the new name and lose the content in a power failure.
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
