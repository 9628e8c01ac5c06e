/** Decompression on demand: no more is decompressed than is asked for, however small the input that it comes from. */
import type { InflateRaw } from 'node:zlib';
import { type Bytes, drain } from './bytes.ts';
import { damaged } from './damaged.ts';

const INPUT_BYTES = 64 * 1024;

/** What the decompressor makes of the bytes. Reads those to their end, also if the compressed data ends before. */
export class InflatedBytes implements Bytes {
  readonly #bytes: Bytes;
  readonly #inflater: InflateRaw;
  readonly #input: Buffer = Buffer.allocUnsafe(INPUT_BYTES);
  #output: Buffer = Buffer.alloc(0);
  #hungry = true;
  #ended = false;
  #failed = false;
  #wake: () => void = () => undefined;

  /** @param inflater `createInflate()` or `createInflateRaw()`, which belongs to this object from now on. */
  constructor(bytes: Bytes, inflater: InflateRaw) {
    this.#bytes = bytes;
    this.#inflater = inflater;
    inflater.on('readable', () => this.#wake());
    inflater.on('end', () => {
      this.#ended = true;
      this.#wake();
    });
    inflater.on('error', () => {
      this.#failed = true;
      this.#wake();
    });
  }

  async read(target: Buffer): Promise<number> {
    for (;;) {
      if (this.#failed) throw damaged();
      if (this.#output.length === 0) this.#output = this.#inflater.read() ?? this.#output;
      if (this.#output.length > 0) {
        const length = this.#output.copy(target);
        this.#output = this.#output.subarray(length);
        return length;
      }
      if (this.#ended) {
        await drain(this.#bytes);
        return 0;
      }
      if (this.#hungry) await this.#feed();
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  close(): void {
    this.#inflater.destroy();
  }

  async #feed(): Promise<void> {
    const length = await this.#bytes.read(this.#input);
    this.#hungry = false;
    if (length === 0) {
      this.#inflater.end();
      return;
    }
    // The input is used again only after the callback.
    this.#inflater.write(this.#input.subarray(0, length), () => {
      this.#hungry = true;
      this.#wake();
    });
  }
}
