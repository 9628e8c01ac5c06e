/** How many uploads there may be at a time: each takes memory, and a server that is killed for it breaks off all of them. */
import { RefusedWith } from './errors.ts';

const MIB = 1024 * 1024;
/** What the server takes for itself, with room to spare. */
const OWN_BYTES = 256 * MIB;
/** However little memory there is. */
const LEAST = 8;
/** After which those who are refused come again. */
const AGAIN_SECONDS = 15;

export class UploadSlots {
  readonly #most: number;
  #taken = 0;

  /** @param most - at a time; 0 for no limit. */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * To be called before any content is asked for, so that clients can come again with all of it.
   *
   * @returns how to give it back.
   * @throws {Refused} `rate-limited` if there are as many already.
   */
  take(): () => void {
    if (this.#most > 0 && this.#taken >= this.#most) {
      const message = `the server takes no more uploads at a time than ${this.#most} (--max-uploads, or what fits in its memory): come again in ${AGAIN_SECONDS} seconds`;
      throw new RefusedWith('rate-limited', message, { headers: { 'retry-after': String(AGAIN_SECONDS) } });
    }
    this.#taken++;
    return () => {
      this.#taken--;
    };
  }
}

/** As many as were asked for, or else as fit in the memory that the container may have, if each takes so many bytes. 0: no limit. */
export function mostUploads(asked: number | undefined, uploadBytes: number): number {
  if (asked !== undefined) return asked;
  const limitBytes = process.constrainedMemory();
  return limitBytes === 0 ? 0 : Math.max(LEAST, Math.floor((limitBytes - OWN_BYTES) / uploadBytes));
}
