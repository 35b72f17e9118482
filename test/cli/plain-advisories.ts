/** A folder of advisories laid out as the OSV bucket, with records that tests write. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** An OSV record as JSON, as far as these tests need one. */
export interface PlainRecord {
  readonly id: string;
  readonly modified: string;
  readonly [key: string]: unknown;
}

/** lodash before 4.17.21, high; the severity is the publisher's word. */
export const lodashRecord: PlainRecord = {
  schema_version: '1.7.0',
  id: 'GHSA-test-0000-0001',
  modified: new Date().toISOString(),
  aliases: ['CVE-2099-0001'],
  summary: 'A fault made up for tests',
  affected: [
    {
      package: { ecosystem: 'npm', name: 'lodash' },
      ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '4.17.21' }] }],
    },
  ],
  database_specific: { severity: 'HIGH' },
};

/** Writes `<ecosystem>/all.zip` for each ecosystem. */
export function writePlainAdvisories(
  folder: string,
  records: Readonly<Record<string, readonly PlainRecord[]>>,
): void {
  for (const [ecosystem, ofEcosystem] of Object.entries(records)) {
    mkdirSync(join(folder, ecosystem), { recursive: true });
    const files = ofEcosystem.map((record) => ({
      name: `${record.id}.json`,
      bytes: Buffer.from(JSON.stringify(record)),
    }));
    writeFileSync(join(folder, ecosystem, 'all.zip'), writeZip(files));
  }
  writeFileSync(join(folder, 'ecosystems.txt'), `${Object.keys(records).join('\n')}\n`);
}

/** A zip archive of stored files (PKWARE APPNOTE 4.3.7, 4.3.12, 4.3.16). */
function writeZip(files: readonly { readonly name: string; readonly bytes: Buffer }[]): Buffer {
  const locals: Buffer[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes } of files) {
    const nameBytes = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, nameBytes, bytes]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    entries.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, tail, nameBytes]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}
