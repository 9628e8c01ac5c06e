/**
 * Finds where zstd frames begin and end (RFC 8878, section 3.1) without decompressing them.
 *
 * Node's own decompressor forgets what follows a frame, or a skippable frame, in the same write, and says nothing of a
 * stream that ends too early. So it is given one frame after the other, and all that is between them is judged here.
 */
import { failure } from '../failure.ts';
import { FRAME_MAGIC, isSkippable, LONGEST_MARK } from './marks.ts';

export type Part =
  /** The first bytes of a frame, and how much content it has, if it says so. zstd holds it to that. */
  | { kind: 'header'; bytes: Buffer; contentBytes: number | undefined }
  /** More bytes of it, in order, and whether they are its last. */
  | { kind: 'body'; bytes: Buffer; ends: boolean }
  /** A skippable frame with the first bytes of what it holds. */
  | { kind: 'skippable'; magic: number; text: Buffer };

/** The most that a frame may ask a decompressor to remember: what `zstd` itself gives without being told to. */
export const MOST_WINDOW_BYTES = 2 ** 27;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
/** Kinds of a block. */
const RUN_LENGTH = 1;
const RESERVED = 3;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];

interface Header {
  checksum: boolean;
  contentBytes: number | undefined;
}

/** What the reader is at. */
type State =
  | 'magic'
  | 'skippable-length'
  | 'skippable'
  | 'descriptor'
  | 'header'
  | 'block'
  | 'content'
  | 'checksum';

/** The parts of a whole stream. @throws {UserError} `damaged` or `unsupported`; what the source throws. */
export async function* partsOf(source: AsyncIterable<Buffer>): AsyncGenerator<Part> {
  const frames = new FrameReader();
  for await (const chunk of source) yield* frames.read(chunk);
  frames.end();
}

/** Reads a stream of frames, chunk by chunk. */
export class FrameReader {
  #state: State = 'magic';
  /** First bytes of a frame, which nobody gets before they are known to be good; then a block's header. */
  #held = Buffer.alloc(18);
  #heldBytes = 0;
  /** So many bytes are to be held before they mean something. */
  #wanted = 4;
  /** So many bytes of content are left, of a block or of a skippable frame. */
  #left = 0;
  #header: Header = { checksum: false, contentBytes: undefined };
  #lastBlock = false;
  #magic = 0;
  #text: Buffer[] = [];

  /** @throws {UserError} `damaged` if it is not zstd, `unsupported` if it is zstd that cannot be read here. */
  *read(chunk: Buffer): Generator<Part> {
    // Bytes from here on belong to the frame that is being read, and were not handed out yet.
    let from = 0;
    for (let at = 0; at < chunk.length; ) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at);
        if (this.#state === 'skippable') this.#note(chunk.subarray(at, at + taken));
        this.#left -= taken;
        at += taken;
        if (this.#left > 0) continue;
      } else {
        const taken = chunk.copy(this.#held, this.#heldBytes, at, at + this.#wanted - this.#heldBytes);
        this.#heldBytes += taken;
        at += taken;
        if (this.#heldBytes < this.#wanted) continue;
      }
      const before = this.#state;
      this.#advance();
      if (before === 'header') {
        const bytes = Buffer.from(this.#held.subarray(0, this.#heldBytes));
        yield { kind: 'header', bytes, contentBytes: this.#header.contentBytes };
        this.#expect('block', BLOCK_HEADER_BYTES);
        from = at;
      } else if (this.#state === 'magic') {
        if (before === 'skippable' || before === 'skippable-length')
          yield { kind: 'skippable', magic: this.#magic, text: Buffer.concat(this.#text) };
        else yield { kind: 'body', bytes: chunk.subarray(from, at), ends: true };
      }
    }
    if (this.#inBody() && from < chunk.length)
      yield { kind: 'body', bytes: chunk.subarray(from), ends: false };
  }

  /** @throws {UserError} `damaged` if the stream ended within a frame. */
  end(): void {
    if (this.#state !== 'magic' || this.#heldBytes > 0)
      throw failure('damaged', 'the compressed content ends too early: a part of it is missing');
  }

  #inBody(): boolean {
    return this.#state === 'block' || this.#state === 'content' || this.#state === 'checksum';
  }

  #expect(state: State, bytes: number): void {
    this.#state = state;
    this.#wanted = bytes;
    this.#heldBytes = 0;
  }

  #note(bytes: Buffer): void {
    const known = this.#text.reduce((sum, piece) => sum + piece.length, 0);
    // A copy: the chunk is the source's.
    if (known <= LONGEST_MARK) this.#text.push(Buffer.from(bytes.subarray(0, LONGEST_MARK + 1 - known)));
  }

  /** What was wanted is there. */
  #advance(): void {
    switch (this.#state) {
      case 'magic':
        this.#startFrame(this.#held.readUInt32LE(0));
        break;
      case 'skippable-length':
        this.#left = this.#held.readUInt32LE(0);
        this.#text = [];
        if (this.#left > 0) this.#expect('skippable', 0);
        else this.#expect('magic', 4);
        break;
      case 'descriptor':
        // What is held already is the first part of the header.
        this.#wanted = headerBytes(this.#held[4] ?? 0);
        this.#state = 'header';
        break;
      case 'header':
        this.#header = readHeader(this.#held);
        break;
      case 'block':
        this.#startBlock(this.#held.readUIntLE(0, BLOCK_HEADER_BYTES));
        break;
      case 'content':
        this.#endBlock();
        break;
      default:
        this.#expect('magic', 4);
    }
  }

  #startFrame(magic: number): void {
    this.#magic = magic;
    if (isSkippable(magic)) {
      this.#expect('skippable-length', 4);
      return;
    }
    if (magic !== FRAME_MAGIC)
      throw failure('damaged', 'there is something in the compressed content that is not zstd');
    this.#state = 'descriptor';
    this.#wanted = 5;
  }

  #startBlock(header: number): void {
    this.#lastBlock = (header & 1) === 1;
    const kind = (header >> 1) & 3;
    if (kind === RESERVED)
      throw failure('damaged', 'the compressed content is damaged: a block of no known kind');
    this.#left = kind === RUN_LENGTH ? 1 : header >> 3;
    if (this.#left > 0) this.#expect('content', 0);
    else this.#endBlock();
  }

  #endBlock(): void {
    if (!this.#lastBlock) this.#expect('block', BLOCK_HEADER_BYTES);
    else if (this.#header.checksum) this.#expect('checksum', CHECKSUM_BYTES);
    else this.#expect('magic', 4);
  }
}

/** Length of a frame's header, magic number included, by its descriptor. */
function headerBytes(descriptor: number): number {
  const single = (descriptor & 0x20) !== 0;
  const contentSize = (descriptor >> 6 === 0 && single ? 1 : CONTENT_SIZE_BYTES[descriptor >> 6]) ?? 0;
  return 5 + (single ? 0 : 1) + (DICTIONARY_ID_BYTES[descriptor & 3] ?? 0) + contentSize;
}

/** @throws {UserError} if the frame cannot be decompressed here. */
function readHeader(header: Buffer): Header {
  const descriptor = header[4] ?? 0;
  if ((descriptor & 0x08) !== 0)
    throw failure('damaged', 'the compressed content is damaged: not a frame of zstd');
  const single = (descriptor & 0x20) !== 0;
  let at = single ? 5 : 6;
  const dictionaryBytes = DICTIONARY_ID_BYTES[descriptor & 3] ?? 0;
  if (dictionaryBytes > 0 && header.readUIntLE(at, dictionaryBytes) !== 0) {
    throw failure(
      'unsupported',
      'the content was compressed with a dictionary, which is not here',
      'download it, and decompress it with zstd -D DICTIONARY',
    );
  }
  at += dictionaryBytes;
  const flag = descriptor >> 6;
  const contentBytes = flag > 0 || single ? contentSize(header, at, flag) : undefined;
  const window = single ? (contentBytes ?? 0) : windowBytes(header[5] ?? 0);
  if (window > MOST_WINDOW_BYTES) {
    throw failure(
      'unsupported',
      'the content was compressed with a window of more than 128 MiB',
      'download it, and decompress it with zstd -d --long=31',
    );
  }
  return { checksum: (descriptor & 4) !== 0, contentBytes };
}

function contentSize(header: Buffer, at: number, flag: number): number {
  if (flag === 0) return header[at] ?? 0;
  if (flag === 1) return header.readUInt16LE(at) + 256;
  return flag === 2 ? header.readUInt32LE(at) : Number(header.readBigUInt64LE(at));
}

function windowBytes(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}
