/** The one-way rule of imports as functions over parsed files, so that the rules themselves are tested. */
import type { Import, SourceFile } from './source-files.ts';

/** Rooms under shared/ (and functions/) from the ground up: a room imports from its own and the lower floors. */
export const floors = [
  ['base'],
  ['domain'],
  [
    'image',
    'catalogers',
    'versions',
    'advisories',
    'matching',
    'leaks',
    'checks',
    'signatures',
    'policy',
    'reports',
    'webhooks',
    'channels',
  ],
  ['ports'],
  ['pipeline', 'api', 'dashboard'],
  ['azure', 'local'],
  ['functions', 'cli'],
] as const;

/** Rooms of one floor that must not know the other one. local may know azure: it prepares what the adapters use. */
const strangers: Readonly<Record<string, string>> = { azure: 'local', functions: 'cli', cli: 'functions' };

/** Folders whose members know nothing of one another, and that the rest knows by their registry alone. */
export const plugInRooms = ['catalogers', 'versions', 'webhooks', 'channels', 'checks', 'leaks'] as const;

/** Rooms that may know Azure's packages. */
const azureRooms: ReadonlySet<string> = new Set(['azure', 'local', 'functions']);

/** The room of a path: the folder under shared/, or functions; undefined for test/, bench/ and the like. */
export function roomOf(path: string): string | undefined {
  const [top, second, third] = path.split('/');
  if (top === 'functions') {
    return 'functions';
  }
  return top === 'shared' && third !== undefined ? second : undefined;
}

/** One sentence for each import that breaks a rule; empty where all is well. */
export function findWrongImports(file: SourceFile): readonly string[] {
  const room = roomOf(file.path);
  if (room === undefined) {
    return [];
  }
  return file.imports.flatMap((one) => {
    const reason = one.path === undefined ? checkPackage(room, one) : checkPath(file.path, room, one.path);
    return reason === undefined ? [] : [`${file.path} imports ${one.specifier}: ${reason}`];
  });
}

/** The member of a plug-in folder that a path belongs to; undefined for contract.ts, registry.ts and other rooms. */
export function memberOf(path: string): string | undefined {
  const [top, room, name] = path.split('/');
  if (top !== 'shared' || room === undefined || name === undefined || !isPlugInRoom(room)) {
    return undefined;
  }
  return name === 'contract.ts' || name === 'registry.ts'
    ? undefined
    : `${room}/${name.replace(/\.ts$/, '')}`;
}

/** Files that reach themselves again by imports that exist at run time, one path of each ring. */
export function findRings(files: readonly SourceFile[]): readonly string[] {
  const edges = new Map(
    files.map((file) => [
      file.path,
      file.imports.flatMap((one) => (one.typeOnly || one.path === undefined ? [] : [one.path])),
    ]),
  );
  const rings: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      rings.push([...trail.slice(trail.indexOf(path)), path].join(' > '));
    } else if (!done.has(path)) {
      for (const next of edges.get(path) ?? []) {
        visit(next, [...trail, path]);
      }
      done.add(path);
    }
  };
  for (const path of edges.keys()) {
    visit(path, []);
  }
  return rings;
}

function checkPackage(room: string, { specifier }: Import): string | undefined {
  return specifier.startsWith('@azure/') && !azureRooms.has(room)
    ? `@azure/* belongs into ${[...azureRooms].join(', ')}`
    : undefined;
}

function checkPath(from: string, room: string, path: string): string | undefined {
  const target = roomOf(path);
  if (target === undefined) {
    // A JSON file or the package's own description beside the rooms is data; test/ and bench/ are not for the product.
    return path.endsWith('.json') ? undefined : 'the product imports only from shared/ and functions/';
  }
  const fromFloor = floorOf(room);
  const toFloor = floorOf(target);
  if (fromFloor === undefined || toFloor === undefined) {
    return `${fromFloor === undefined ? room : target} is no room of the architecture`;
  }
  if (toFloor > fromFloor) {
    return `${target} stands above ${room}`;
  }
  if (strangers[room] === target) {
    return `${room} must not know ${target}`;
  }
  const member = memberOf(path);
  if (member !== undefined && member !== memberOf(from) && from !== `shared/${target}/registry.ts`) {
    return `${member} is named by its registry.ts alone`;
  }
  return undefined;
}

function floorOf(room: string): number | undefined {
  const index = floors.findIndex((rooms) => rooms.some((one) => one === room));
  return index === -1 ? undefined : index;
}

function isPlugInRoom(room: string): boolean {
  return plugInRooms.some((one) => one === room);
}
