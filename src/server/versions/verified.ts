/** A stored object on its way out, checked against the digest that was noted when it came in. */
import { createHash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';

/** What is stored is not what was received. */
export class Damaged extends Error {
  override readonly name = 'Damaged';
}

/**
 * Passes the bytes on but keeps the last piece back until everything was verified. If it is not as noted, the stream
 * fails with `Damaged`, so that a receiver gets fewer bytes than announced and never takes them for a good copy.
 */
export class Verified extends Transform {
  readonly #hash = createHash('sha256');
  readonly #expected: { filesize: number; sha256: string };
  #held: Buffer | undefined;
  #bytes = 0;

  constructor(expected: { filesize: number; sha256: string }) {
    super();
    this.#expected = expected;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
    const held = this.#held;
    this.#held = chunk;
    if (this.#bytes > this.#expected.filesize) done(new Damaged('the stored object is longer than it was'));
    else done(null, held);
  }

  override _flush(done: TransformCallback): void {
    if (this.#bytes !== this.#expected.filesize) {
      done(new Damaged(`the stored object has ${this.#bytes} bytes, it had ${this.#expected.filesize}`));
    } else if (this.#hash.digest('hex') !== this.#expected.sha256) {
      done(new Damaged('the SHA-256 of the stored object is not the one noted when it was stored'));
    } else {
      done(null, this.#held);
    }
  }
}
