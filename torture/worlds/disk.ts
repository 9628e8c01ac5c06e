/** A small disk that can be filled to its last byte. Mounting one needs root. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MIB = 1024 * 1024;
const mounted = new Set<string>();
process.once('exit', () => {
  for (const path of mounted) spawnSync('umount', ['--lazy', path]);
});

export class Disk {
  readonly path: string;
  readonly #fillers = new Set<string>();

  /** Whether this user may mount one. */
  static possible(): boolean {
    const folder = mkdtempSync(join(tmpdir(), 'torture-mount-'));
    try {
      const disk = Disk.mount(folder, 'try', 1);
      disk.unmount();
      return true;
    } catch {
      return false;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  static mount(under: string, name: string, mebibytes: number): Disk {
    const path = join(under, name);
    mkdirSync(path);
    const options = `size=${mebibytes}m,mode=0700`;
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`cannot mount a disk: ${stderr}`);
    mounted.add(path);
    return new Disk(path);
  }

  private constructor(path: string) {
    this.path = path;
  }

  /** Takes all the room there is. */
  fill(): void {
    for (const size of [4 * MIB, 256 * 1024, 4096]) {
      for (let full = false; !full; ) {
        const filler = join(this.path, `filler-${this.#fillers.size}`);
        this.#fillers.add(filler);
        try {
          writeFileSync(filler, Buffer.alloc(size));
        } catch {
          full = true;
        }
      }
    }
  }

  free(): void {
    for (const filler of this.#fillers) rmSync(filler, { force: true });
    this.#fillers.clear();
  }

  unmount(): void {
    spawnSync('umount', ['--lazy', this.path]);
    mounted.delete(this.path);
  }
}
