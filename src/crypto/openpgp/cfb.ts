/**
 * AES in cipher feedback mode, faster than OpenSSL's own, which enciphers one block per call.
 *
 * The ciphertext is C[i] = P[i] ^ E(C[i-1]). To decrypt, every C is known, so all E(C) are one run of ECB, which
 * the processor does in parallel. To encrypt, S[i] = E(C[i-1]) = E(P[i-1] ^ S[i-1]) is what CBC gives for the
 * plaintext. Both leave an exclusive or with a key stream that is one block behind.
 */
import { type Cipheriv, createCipheriv } from 'node:crypto';

/**
 * Continues where the call before ended. Every input but the last is a multiple of 16 bytes; the target holds as much, lies at a
 * multiple of 4 in its memory, and may be the input itself.
 */
export type Transform = (input: Buffer, target: Buffer) => void;

const AES_BLOCK = 16;
/** So much goes through at once that it stays in the processor's nearest caches. */
const STEP_BYTES = 32 * 1024;

/** With an initialisation vector of zeros. */
export function aesCfbEncryption(key: Uint8Array): Transform {
  const first = ecb(key).update(Buffer.alloc(AES_BLOCK));
  const cbc = createCipheriv(`aes-${key.length * 8}-cbc`, key, first);
  return feedback(cbc.setAutoPadding(false), first);
}

/** With an initialisation vector of zeros. */
export function aesCfbDecryption(key: Uint8Array): Transform {
  return feedback(ecb(key), ecb(key).update(Buffer.alloc(AES_BLOCK)));
}

function ecb(key: Uint8Array): Cipheriv {
  return createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
}

/** @param first key stream of the first block; the cipher makes that of every other one out of the block before it. */
function feedback(cipher: Cipheriv, first: Buffer): Transform {
  let behind = Buffer.from(first);
  return (input, target) => {
    for (let at = 0; at < input.length; at += STEP_BYTES) {
      const from = input.subarray(at, at + STEP_BYTES);
      const to = target.subarray(at, at + from.length);
      const whole = from.length - (from.length % AES_BLOCK);
      const next = cipher.update(from.subarray(0, whole));
      if (whole > 0) {
        xorWords(from.subarray(0, AES_BLOCK), behind, to);
        xorWords(from.subarray(AES_BLOCK, whole), next, to.subarray(AES_BLOCK));
        behind = Buffer.from(next.subarray(whole - AES_BLOCK));
      }
      for (let i = whole; i < from.length; i++) to[i] = (from[i] ?? 0) ^ (behind[i - whole] ?? 0);
    }
  };
}

/** As many bytes as the input has, a multiple of 4. */
function xorWords(input: Buffer, stream: Buffer, target: Buffer): void {
  const length = input.length >> 2;
  const a = words(input, length);
  const b = words(stream, length);
  const to = new Int32Array(target.buffer, target.byteOffset, length);
  for (let i = 0; i < length; i++) to[i] = (a[i] as number) ^ (b[i] as number);
}

function words(bytes: Buffer, length: number): Int32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.prototype.slice.call(bytes);
  return new Int32Array(aligned.buffer, aligned.byteOffset, length);
}
