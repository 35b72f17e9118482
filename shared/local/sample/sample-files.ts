/** The sample image's layers: a small Debian root and a Node.js application, with versions whose faults are known. */

export interface SampleFile {
  /** Path in the image, without a leading slash. */
  readonly path: string;
  readonly content: string;
}

interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly source?: string;
}

const debianPackages: readonly DebianPackage[] = [
  { name: 'base-files', version: '12.4+deb12u5' },
  { name: 'libssl3', version: '3.0.13-1~deb12u1', source: 'openssl' },
  { name: 'openssl', version: '3.0.13-1~deb12u1' },
  { name: 'zlib1g', version: '1:1.2.13.dfsg-1', source: 'zlib' },
];

const npmPackages = { express: '4.21.2', lodash: '4.17.15', minimist: '0.0.8', ms: '2.1.3' };

/** Layers from the bottom up, with the command that history shows for each. */
export const sampleLayers: readonly { readonly createdBy: string; readonly files: readonly SampleFile[] }[] =
  [
    {
      createdBy: 'the operating system',
      files: [
        {
          path: 'etc/os-release',
          content:
            'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
        },
        { path: 'var/lib/dpkg/status', content: debianPackages.map(paragraph).join('\n') },
      ],
    },
    {
      createdBy: 'npm ci',
      files: Object.entries(npmPackages).map(([name, version]) => ({
        path: `srv/app/node_modules/${name}/package.json`,
        content: `${JSON.stringify({ name, version })}\n`,
      })),
    },
  ];

function paragraph({ name, version, source }: DebianPackage): string {
  return [
    `Package: ${name}`,
    'Status: install ok installed',
    'Architecture: amd64',
    ...(source === undefined ? [] : [`Source: ${source}`]),
    `Version: ${version}`,
    '',
  ].join('\n');
}
