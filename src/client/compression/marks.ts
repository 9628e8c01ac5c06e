/**
 * How our own streams are told from the user's: they begin and end with a skippable frame (RFC 8878, 3.1.2), which
 * every zstd passes over. The one at the end says how long the content is, so that a stream that was cut between two
 * frames is seen to be cut, which zstd by itself does not notice.
 */

/** Magic number of a zstd frame. */
export const FRAME_MAGIC = 0xfd2fb528;
/** Skippable frames have one of sixteen magic numbers: this one, except for its last four bits. */
const SKIPPABLE_MAGIC = 0x184d2a50;
/** That of our marks. Others use some too: the text decides. */
const MARK_MAGIC = 0x184d2a5b;
const START = 'backup-maker zstd 1\n';
const END = /^backup-maker zstd end (\d{1,16})\n$/;
/** No mark of ours is longer. */
export const LONGEST_MARK = 64;

/** The first bytes of everything that `compress` makes: magic number, length of the text, text. */
export const START_MARK: Buffer = skippable(START);

/** The last bytes of a stream with so many bytes of content. */
export function endMark(bytes: number): Buffer {
  return skippable(`backup-maker zstd end ${bytes}\n`);
}

/** What a skippable frame says, if it is a mark of ours: the start, or the end after so many bytes of content. */
export function readMark(magic: number, text: Buffer): 'start' | { bytes: number } | undefined {
  if (magic !== MARK_MAGIC) return undefined;
  const line = text.toString('latin1');
  if (line === START) return 'start';
  const [, bytes] = END.exec(line) ?? [];
  return bytes === undefined ? undefined : { bytes: Number(bytes) };
}

export function isSkippable(magic: number): boolean {
  return (magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC;
}

/**
 * What content is by its first bytes (at least 32 of them, if there are as many): `marked` if `compress` made it, `zstd` if it is
 * zstd that somebody else made, so that it may be the user's own data; otherwise `other`.
 */
export function compressionOf(head: Buffer): 'marked' | 'zstd' | 'other' {
  if (head.length < 4) return 'other';
  if (head.subarray(0, START_MARK.length).equals(START_MARK)) return 'marked';
  const magic = head.readUInt32LE(0);
  return magic === FRAME_MAGIC || isSkippable(magic) ? 'zstd' : 'other';
}

function skippable(text: string): Buffer {
  const frame = Buffer.alloc(8 + text.length);
  frame.writeUInt32LE(MARK_MAGIC, 0);
  frame.writeUInt32LE(text.length, 4);
  frame.write(text, 8, 'latin1');
  return frame;
}
