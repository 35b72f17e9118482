/** A certificate for this machine's loopback addresses, made once per data folder: the SDKs send tokens over TLS only. */
import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import tls from 'node:tls';
import { generate } from 'selfsigned';
import { PlimsollError } from '../../domain/errors.ts';
import { replaceFile } from './replace-file.ts';

export interface LocalCertificate {
  readonly certificatePem: string;
  readonly certificatePath: string;
  readonly keyPath: string;
}

const validityDays = 3650;
/** A certificate that ends sooner than this is replaced. */
const renewBeforeDays = 30;
const dayMs = 24 * 60 * 60 * 1000;

/** The certificate kept in `<dataDir>/tls`, made there if there is none or it ends soon. The key is for this user alone. */
export async function ensureCertificate(dataDir: string, now: Date): Promise<LocalCertificate> {
  const folder = join(dataDir, 'tls');
  const paths = { certificatePath: join(folder, 'certificate.pem'), keyPath: join(folder, 'key.pem') };
  const kept = await readKept(paths.certificatePath, now);
  if (kept !== undefined) return { certificatePem: kept, ...paths };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // A name of its own: of two trusted issuers with one name, a client may try the wrong one.
  const commonName = `Plimsoll on this machine ${randomBytes(8).toString('hex')}`;
  const made = await generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate: new Date(now.getTime() + validityDays * dayMs),
    extensions: [
      // Its own issuer and the server at once; the name constraint is the short list of loopback names below.
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  await writeFile(paths.keyPath, made.private, { mode: 0o600 });
  // The certificate comes last: where it stands, the key stands too.
  await replaceFile(paths.certificatePath, made.cert);
  return { certificatePem: made.cert, ...paths };
}

/** Makes every TLS client of this process trust the certificate beside the usual ones; a child process gets the same by
 *  NODE_EXTRA_CA_CERTS. Throws UNSUPPORTED_RUNTIME before Node 22.19 and 24.5. */
export function trustCertificate(certificatePem: string): void {
  if (typeof tls.setDefaultCACertificates !== 'function') {
    throw new PlimsollError(
      'UNSUPPORTED_RUNTIME',
      `the emulators need Node 22.19, 24.5 or later, found ${process.version}: take the Node that npm start brings`,
    );
  }
  const trusted = tls.getCACertificates('default');
  if (!trusted.includes(certificatePem)) tls.setDefaultCACertificates([...trusted, certificatePem]);
}

async function readKept(path: string, now: Date): Promise<string | undefined> {
  try {
    const pem = await readFile(path, 'utf8');
    const endsAtMs = new X509Certificate(pem).validToDate.getTime();
    return endsAtMs - now.getTime() > renewBeforeDays * dayMs ? pem : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
