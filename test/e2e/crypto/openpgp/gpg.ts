/** Stock gpg in a home of its own: short, because its agent's socket lies there, and gone when the tests end. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as assert from 'uvu/assert';

export class Gpg {
  readonly home = mkdtempSync(join(tmpdir(), 'gpg-'));
  readonly #env = { ...process.env, GNUPGHOME: this.home, LC_ALL: 'C' };

  /** Ends its agent and removes everything. */
  close(): void {
    spawnSync('gpgconf', ['--kill', 'all'], { env: this.#env });
    rmSync(this.home, { recursive: true, force: true });
  }

  /** Runs it to its end; it must succeed. */
  run(args: readonly string[], input: Buffer | string = ''): Buffer {
    const result = this.try(args, input);
    assert.is(result.status, 0, `gpg ${args.join(' ')}: ${result.stderr}`);
    return result.stdout;
  }

  try(args: readonly string[], input: Buffer | string = '') {
    return spawnSync('gpg', [...COMMON, ...args], { env: this.#env, input, maxBuffer: 1 << 28 });
  }

  /** The same with streams; the chunks are what it prints. Fails if it does. */
  async *stream(args: readonly string[], input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const child = spawn('gpg', [...COMMON, ...args], { env: this.#env, stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk) => (said += chunk));
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    const fed = pipeline(Readable.from(input), child.stdin);
    fed.catch(() => undefined);
    yield* child.stdout;
    assert.is(await ended, 0, `gpg ${args.join(' ')}: ${said}`);
    await fed;
  }

  /** Makes a key pair with gpg's own defaults but for these lines of its parameters. */
  makeKey(email: string, parameters: readonly string[], passphrase?: string): void {
    const file = join(this.home, 'parameters');
    const protection = passphrase === undefined ? '%no-protection' : `Passphrase: ${passphrase}`;
    writeFileSync(
      file,
      [...parameters, `Name-Email: ${email}`, 'Expire-Date: 0', protection, '%commit', ''].join('\n'),
    );
    this.run(['--generate-key', file]);
  }
}

const COMMON = ['--batch', '--quiet', '--yes', '--pinentry-mode', 'loopback'];
