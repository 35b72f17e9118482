/** Reads a tar archive from chunks as they come: entries to a handler, wanted content to its sinks, all at once. */
import { isAllZero } from './compressed-source.ts';
import type { LayerProblem } from './layer-problem.ts';
import type { LayerLimits } from './limits.ts';
import {
  decodePath,
  hasValidChecksum,
  readHeader,
  readLinkName,
  readName,
  type TarHeader,
  tarBlockBytes,
} from './tar-header.ts';
import { type PaxFields, parsePax } from './tar-pax.ts';
import {
  hasExtension,
  readOldRegions,
  readOldSize,
  readPaxSparse,
  type SparseFile,
  type SparseRegion,
  SparseSink,
} from './tar-sparse.ts';

export type TarEntryKind = 'file' | 'hardlink' | 'symlink' | 'directory' | 'device' | 'unknown';

export interface TarEntry {
  /** As the archive writes it, not normalised. */
  readonly path: string;
  readonly kind: TarEntryKind;
  /** Bytes of the content, holes of a sparse file included; 0 but for files. */
  readonly size: number;
  readonly mode: number;
  /** Where a link points, as the archive writes it; empty but for links. */
  readonly link: string;
}

/** Takes the content of one entry. */
export interface TarSink {
  /** The bytes are a part of a chunk: who keeps them copies them. */
  write(bytes: Buffer): void;
  end(): void;
  /** The content ends before its size says so. */
  abort(reason: string): void;
}

export interface TarHandler {
  /** Called for every entry in order; the content of an entry without a sink is skipped. */
  entry(entry: TarEntry): TarSink | undefined;
}

/**
 * Where a field can be given twice, it is taken as Go's archive/tar takes it, because container runtimes unpack with
 * that: a GNU long name wins over PAX, links and directories have no content whatever their size says.
 */
export class TarReader {
  readonly #handler: TarHandler;
  readonly #limits: Pick<LayerLimits, 'maxEntries' | 'maxMetadataBytes'>;
  readonly #block = Buffer.alloc(tarBlockBytes);
  #filled = 0;
  #state: 'header' | 'metadata' | 'extension' | 'data' | 'end' | 'stopped' = 'header';
  #leftBytes = 0;
  #paddingBytes = 0;
  #sink: TarSink | undefined;
  #metadata: Buffer = Buffer.alloc(0);
  #metadataType = '';
  #global: PaxFields = {};
  #pax: PaxFields | undefined;
  #longName: string | undefined;
  #longLink: string | undefined;
  #oldSparse: { readonly header: Buffer; readonly regions: SparseRegion[] } | undefined;
  #zeroBlocks = 0;
  #entryCount = 0;
  #problem: LayerProblem | undefined;
  #hasTrailingData = false;

  constructor(handler: TarHandler, limits: Pick<LayerLimits, 'maxEntries' | 'maxMetadataBytes'>) {
    this.#handler = handler;
    this.#limits = limits;
  }

  get entryCount(): number {
    return this.#entryCount;
  }

  /** Why reading ended before the archive did. */
  get problem(): LayerProblem | undefined {
    return this.#problem;
  }

  /** Whether anything but zeros follows the end of the archive. */
  get hasTrailingData(): boolean {
    return this.#hasTrailingData;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === 'stopped') return;
      if (this.#state === 'end') {
        this.#hasTrailingData ||= !isAllZero(chunk.subarray(at));
        return;
      }
      if (this.#leftBytes > 0) {
        const length = Math.min(this.#leftBytes, chunk.length - at);
        this.#takeContent(chunk, at, length);
        at += length;
      } else if (this.#paddingBytes > 0) {
        const length = Math.min(this.#paddingBytes, chunk.length - at);
        this.#paddingBytes -= length;
        at += length;
      } else {
        const length = Math.min(tarBlockBytes - this.#filled, chunk.length - at);
        chunk.copy(this.#block, this.#filled, at, at + length);
        this.#filled += length;
        at += length;
        if (this.#filled === tarBlockBytes) {
          this.#filled = 0;
          if (this.#state === 'extension') this.#takeExtension();
          else this.#takeHeader();
        }
      }
    }
  }

  /** Tells the reader that nothing follows. An archive that ends without its two zero blocks, but after a whole entry,
   *  is taken as complete, as all unpackers do: its digest says that nothing was lost on the way. */
  finish(): void {
    if (this.#state === 'stopped' || this.#state === 'end') return;
    const isInsideBlock = this.#filled > 0 && !isAllZero(this.#block.subarray(0, this.#filled));
    const isInsideEntry = this.#leftBytes > 0 || this.#paddingBytes > 0 || this.#state === 'extension';
    const isInsideMetadata =
      this.#pax !== undefined || this.#longName !== undefined || this.#longLink !== undefined;
    if (isInsideBlock || isInsideEntry || isInsideMetadata) {
      this.#stop('BROKEN_ARCHIVE', `the archive is cut off inside entry ${this.#entryCount}`);
    }
    this.#sink?.abort('the archive is cut off');
    this.#sink = undefined;
  }

  /** Ends reading because the bytes are not read further; an open entry is told. */
  cut(reason: string): void {
    this.#sink?.abort(reason);
    this.#sink = undefined;
    this.#state = 'stopped';
  }

  #takeHeader(): void {
    const block = this.#block;
    if (block[0] === 0 && isAllZero(block)) {
      this.#zeroBlocks++;
      if (this.#zeroBlocks === 2) this.#state = 'end';
      return;
    }
    if (this.#zeroBlocks > 0) {
      // Every unpacker ends at a zero block; what follows one is no part of the image.
      this.#state = 'end';
      this.#hasTrailingData = true;
      return;
    }
    if (!hasValidChecksum(block)) return this.#stop('BROKEN_ARCHIVE', 'a header has a wrong checksum');
    const header = readHeader(block);
    if (isMetadata(header.type)) return this.#openMetadata(header);
    this.#entryCount++;
    if (this.#entryCount > this.#limits.maxEntries) {
      const detail = `expected at most ${this.#limits.maxEntries} entries (maxEntries), found more; they were not read`;
      this.#entryCount--;
      return this.#stop('LIMIT_ENTRIES', detail);
    }
    if (header.type === 'S') this.#openOldSparse();
    else this.#openEntry(header, block);
  }

  #openMetadata(header: TarHeader): void {
    const { size } = header;
    if (size === undefined) return this.#stop('BROKEN_ARCHIVE', 'an extended header has an ill-formed size');
    if (size > this.#limits.maxMetadataBytes) {
      const max = this.#limits.maxMetadataBytes;
      return this.#stop('LIMIT_BYTES', `expected extended headers of at most ${max} bytes, found ${size}`);
    }
    this.#state = 'metadata';
    this.#metadataType = header.type;
    this.#metadata = Buffer.allocUnsafe(size);
    this.#setContent(size);
    if (size === 0) this.#closeMetadata();
  }

  #closeMetadata(): void {
    this.#state = 'header';
    const data = this.#metadata;
    const nul = data.indexOf(0);
    const text = nul < 0 ? data : data.subarray(0, nul);
    if (this.#metadataType === 'L') this.#longName = decodePath(text);
    else if (this.#metadataType === 'K') this.#longLink = decodePath(text);
    else {
      const fields = parsePax(data, this.#metadataType === 'g' ? this.#global : (this.#pax ?? this.#global));
      if (fields === undefined) return this.#stop('BROKEN_ARCHIVE', 'a PAX header is ill-formed');
      if (this.#metadataType === 'g') this.#global = fields;
      else this.#pax = fields;
    }
    this.#metadata = nothing;
  }

  #openOldSparse(): void {
    const regions = readOldRegions(this.#block, false);
    if (regions === undefined) return this.#stop('BROKEN_ARCHIVE', 'a sparse map is ill-formed');
    this.#oldSparse = { header: Buffer.from(this.#block), regions };
    if (hasExtension(this.#block, false)) this.#state = 'extension';
    else this.#closeOldSparse();
  }

  #takeExtension(): void {
    const regions = readOldRegions(this.#block, true);
    const known = this.#oldSparse?.regions ?? [];
    if (regions === undefined || known.length * 24 > this.#limits.maxMetadataBytes) {
      return this.#stop('BROKEN_ARCHIVE', 'a sparse map is ill-formed or too large');
    }
    known.push(...regions);
    if (!hasExtension(this.#block, true)) this.#closeOldSparse();
  }

  #closeOldSparse(): void {
    const { header, regions } = this.#oldSparse ?? { header: this.#block, regions: [] };
    this.#oldSparse = undefined;
    const size = readOldSize(header);
    if (size === undefined) return this.#stop('BROKEN_ARCHIVE', 'a sparse file has an ill-formed size');
    this.#openEntry(readHeader(header), header, { size, regions });
  }

  #openEntry(header: TarHeader, block: Buffer, oldSparse?: SparseFile): void {
    this.#state = 'header';
    const pax = this.#pax ?? this.#global;
    const paxSparse = pax.sparse === undefined ? undefined : readPaxSparse(pax);
    const storedBytes = pax.size ?? header.size;
    if (storedBytes === undefined) return this.#stop('BROKEN_ARCHIVE', 'an entry has an ill-formed size');
    if (paxSparse === 'broken') return this.#stop('BROKEN_ARCHIVE', 'a sparse file has an ill-formed map');
    const path = this.#longName ?? paxSparse?.name ?? pax.path ?? readName(block);
    const kind = kindOf(header.type, path);
    const isLink = kind === 'symlink' || kind === 'hardlink';
    const link = isLink ? (this.#longLink ?? pax.linkpath ?? readLinkName(block)) : '';
    const sparse = kind === 'file' ? (oldSparse ?? paxSparse) : undefined;
    const contentBytes = kind === 'file' || kind === 'unknown' ? storedBytes : 0;
    this.#pax = undefined;
    this.#longName = undefined;
    this.#longLink = undefined;
    const size = kind === 'file' ? (sparse?.size ?? contentBytes) : 0;
    const sink = this.#handler.entry({ path, kind, size, mode: header.mode, link });
    this.#sink =
      sink !== undefined && sparse !== undefined
        ? new SparseSink(sink, sparse, this.#limits.maxMetadataBytes)
        : sink;
    this.#setContent(contentBytes);
    if (contentBytes > 0) this.#state = 'data';
    else this.#closeEntry();
  }

  #closeEntry(): void {
    this.#state = 'header';
    this.#sink?.end();
    this.#sink = undefined;
  }

  #setContent(bytes: number): void {
    this.#leftBytes = bytes;
    this.#paddingBytes = (tarBlockBytes - (bytes % tarBlockBytes)) % tarBlockBytes;
  }

  #takeContent(chunk: Buffer, at: number, length: number): void {
    if (this.#state === 'metadata') {
      chunk.copy(this.#metadata, this.#metadata.length - this.#leftBytes, at, at + length);
    } else if (this.#sink !== undefined) {
      this.#sink.write(chunk.subarray(at, at + length));
    }
    this.#leftBytes -= length;
    if (this.#leftBytes > 0) return;
    if (this.#state === 'metadata') this.#closeMetadata();
    else this.#closeEntry();
  }

  #stop(code: LayerProblem['code'], detail: string): void {
    this.#problem = { code, detail: `tar: ${detail}` };
    this.#state = 'stopped';
  }
}

const nothing = Buffer.alloc(0);

function isMetadata(type: string): boolean {
  return type === 'x' || type === 'g' || type === 'L' || type === 'K' || type === 'X';
}

function kindOf(type: string, path: string): TarEntryKind {
  switch (type) {
    case '\0':
      return path.endsWith('/') ? 'directory' : 'file';
    case '0':
    case '7':
    case 'S':
      return 'file';
    case '1':
      return 'hardlink';
    case '2':
      return 'symlink';
    case '3':
    case '4':
    case '6':
      return 'device';
    case '5':
      return 'directory';
    default:
      return 'unknown';
  }
}
