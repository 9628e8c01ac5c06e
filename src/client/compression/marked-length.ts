/** Holds what stands between two marks of ours against what the second one says. */
import { failure } from '../failure.ts';
import type { Part } from './frames.ts';
import { readMark } from './marks.ts';

export class MarkedLength {
  /** Within marks: how much content the frames since the first say to have. */
  #bytes: number | undefined;

  /** A frame. Ours always say their length: without it the sum is no number, and never right. */
  frame(contentBytes: number | undefined): void {
    if (this.#bytes !== undefined) this.#bytes += contentBytes ?? Number.NaN;
  }

  /** A skippable frame, which may be a mark. @throws {UserError} `damaged`. */
  skippable({ magic, text }: Part & { kind: 'skippable' }): void {
    const mark = readMark(magic, text);
    if (mark === undefined) return;
    if (mark === 'start') {
      if (this.#bytes !== undefined)
        throw failure('damaged', 'the compressed content ends too early, and then begins anew');
      this.#bytes = 0;
      return;
    }
    if (this.#bytes !== mark.bytes)
      throw failure(
        'damaged',
        `parts of the compressed content are missing: its end says ${mark.bytes} bytes`,
      );
    this.#bytes = undefined;
  }

  /** The stream has ended. @throws {UserError} `damaged` if that is within marks. */
  end(): void {
    if (this.#bytes !== undefined)
      throw failure('damaged', 'the compressed content ends too early: its end mark is missing');
  }
}
