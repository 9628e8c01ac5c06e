/** Looks at an upload while it passes through: length, digest, head and tail. Nothing is held back but the head. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { endsWell, HEAD_BYTES, recognise, TAIL_BYTES } from '../../crypto/formats.ts';
import type { Format } from '../../wire/headers.ts';
import { Refused, streamRefused } from './refusals.ts';

export interface Rules {
  /** Most bytes that may pass. */
  mostBytes: number;
  allowUnencrypted: boolean;
}

/** What was found, once everything has passed. */
export interface Findings {
  bytes: number;
  /** Lower-case hex. */
  sha256: string;
  format: Format;
}

/** Read ahead of the storage: small, since there is one for each upload. */
const BUFFER_BYTES = 64 * 1024;

/**
 * Reads the source and yields the same bytes. Fails with `Refused` as soon as they break a rule, and with the
 * source's own error if that fails; ends only if everything was in order.
 *
 * The source is paused, never destroyed: behind it is a connection over which the refusal is still to be sent.
 */
export class Inspection extends Readable {
  readonly #source: Readable;
  readonly #rules: Rules;
  readonly #hash = createHash('sha256');
  #head: Buffer[] | undefined = [];
  #headBytes = 0;
  #tail: Buffer = Buffer.alloc(0);
  #bytes = 0;
  #format: Format = 'plain';
  #findings: Findings | undefined;

  constructor(source: Readable, rules: Rules) {
    super({ highWaterMark: BUFFER_BYTES });
    this.#source = source;
    this.#rules = rules;
    source.on('data', this.#onData);
    source.on('end', this.#onEnd);
    source.on('error', this.#onError);
    source.on('close', this.#onClose);
    source.pause();
    // Both events may have passed before anybody listened.
    if (source.readableEnded) process.nextTick(this.#onEnd);
    else if (source.destroyed) process.nextTick(this.#onClose);
  }

  /** Bytes that have passed so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Throws before the end. */
  get findings(): Findings {
    if (!this.#findings) throw new Error('the inspection is not finished');
    return this.#findings;
  }

  override _read(): void {
    this.#source.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#source.off('data', this.#onData);
    this.#source.off('end', this.#onEnd);
    this.#source.off('close', this.#onClose);
    // The listener for errors stays, so that a connection that breaks later does not end the process.
    this.#source.pause();
    callback(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    const { mostBytes } = this.#rules;
    if (this.#bytes > mostBytes) return void this.destroy(tooLarge(this.#bytes, mostBytes));
    this.#hash.update(chunk);
    if (this.#head) {
      this.#head.push(chunk);
      this.#headBytes += chunk.length;
      if (this.#headBytes < HEAD_BYTES) return;
      if (!this.#judgeHead()) return;
    } else {
      this.#pass(chunk);
    }
  };

  readonly #onEnd = (): void => {
    if (this.#bytes === 0) return void this.destroy(streamRefused('empty', 'sent empty data'));
    if (this.#head && !this.#judgeHead()) return;
    if (!endsWell(this.#format, this.#tail)) {
      const reason = 'end of stream does not contain a valid GPG footer, suspecting a data corruption';
      return void this.destroy(streamRefused('truncated', reason));
    }
    this.#findings = { bytes: this.#bytes, sha256: this.#hash.digest('hex'), format: this.#format };
    this.push(null);
  };

  readonly #onError = (error: Error): void => {
    const cancelled = () => streamRefused('cancelled', 'upload was cancelled', { cause: error });
    this.destroy(error instanceof Refused ? error : cancelled());
  };

  readonly #onClose = (): void => {
    if (!this.#findings) this.destroy(streamRefused('cancelled', 'upload was cancelled'));
  };

  /** Decides on what has been held back, and lets it pass; false if it was refused. */
  #judgeHead(): boolean {
    const head = Buffer.concat(this.#head ?? []);
    this.#head = undefined;
    const format = recognise(head.subarray(0, HEAD_BYTES));
    if (!format && !this.#rules.allowUnencrypted) {
      const reason = 'first chunk of uploaded data does not contain a valid GPG header';
      this.destroy(streamRefused('not-encrypted', reason));
      return false;
    }
    this.#format = format ?? 'plain';
    this.#pass(head);
    return true;
  }

  #pass(chunk: Buffer): void {
    this.#tail =
      chunk.length >= TAIL_BYTES
        ? chunk.subarray(chunk.length - TAIL_BYTES)
        : Buffer.concat([this.#tail, chunk]).subarray(-TAIL_BYTES);
    if (!this.push(chunk)) this.#source.pause();
  }
}

export function tooLarge(bytes: number, mostBytes: number): Refused {
  return streamRefused(
    'too-large',
    `filesize reached allowed limit. Uploaded ${bytes} bytes, allowed to upload only ${Math.max(0, mostBytes)} bytes`,
  );
}
