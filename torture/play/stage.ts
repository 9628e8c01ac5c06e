/** Everything that a round is played with. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENT_MEMORY, V8_FLAGS } from '../../src/cli/lean-memory.ts';
import type { Make, Operation, Sealing, Upload } from '../operations.ts';
import type { Round } from '../scenario.ts';
import type { World } from '../worlds/world.ts';
import type { Reader } from './content.ts';
import type { Line } from './line.ts';
import { Program } from './program.ts';

/** What all rounds share. */
export interface Tools {
  /** The client's program. */
  client: string;
  keys: { age: string; openpgp: string; passphrase: string };
  reader: Reader;
  /** How content was sealed, by its SHA-256; what is not here is stored as it is. */
  sealed: Map<string, Sealing['format']>;
  /** Unlike that of any other run of the torture. */
  run: string;
  counts: Counts;
}

export interface Counts {
  /** How often each operation. */
  operations: Record<string, number>;
  /** How often something got in the way of something. */
  disturbances: Record<string, number>;
  acknowledged: number;
  refused: number;
  /** Uploads of which nobody could know whether they were stored. */
  unknown: number;
  /** Versions that were downloaded and compared. */
  compared: number;
}

/**
 * What the client gives itself by starting a second time. Given from the outside, a third of its processor time is saved; one run in
 * four does without.
 */
const LEAN_FLAGS = [...V8_FLAGS, ...CLIENT_MEMORY.flags];

let played = 0;
let programs = 0;

export class Stage {
  readonly round: Round;
  readonly world: World;
  readonly tools: Tools;
  readonly folder: string;
  /** Unlike that of any other round, and of the same round played again. */
  readonly id: string;
  /** In the environment of everything that the round starts. */
  readonly mark: string;
  readonly faults: string[] = [];
  /** Runs of the client's program, by operation. */
  readonly programs = new Map<number, Program[]>();
  line: Line | undefined;
  /** For people, if it fails. */
  readonly diary: string[] = [];
  readonly #began = performance.now();
  #servers = 0;

  constructor(round: Round, world: World, tools: Tools, folder: string) {
    this.round = round;
    this.world = world;
    this.tools = tools;
    this.folder = folder;
    this.id = `${tools.run}/${round.number}/${++played}`;
    this.mark = `TORTURE_MARK=${this.id};`;
    mkdirSync(join(folder, 'tmp'), { recursive: true });
  }

  fault(what: string): void {
    this.faults.push(what);
    this.note(`FAULT ${what}`);
  }

  note(what: string): void {
    this.diary.push(`${String(Math.round(performance.now() - this.#began)).padStart(6)} ms  ${what}`);
  }

  count(kind: 'operations' | 'disturbances', name: string): void {
    const counts = this.tools.counts[kind];
    counts[name] = (counts[name] ?? 0) + 1;
  }

  /** Where to send what the operation asks for; servers take turns. */
  url({ outside }: Pick<Operation, 'outside'>): string {
    const { servers } = this.world;
    if (this.line && outside) return this.line.url;
    return servers[this.#servers++ % servers.length]?.url ?? '';
  }

  /** Whether the round does one of these to the collection, besides this operation. */
  does(collection: string, kinds: readonly Operation['do'][], besides?: Operation): boolean {
    return this.round.operations.some(
      (each) => each !== besides && each.collection === collection && kinds.includes(each.do),
    );
  }

  /** Whether a version of the collection can be gone by now: deleted by hand, or rotated away behind a new one. */
  mayBeGone(collection: string, besides?: Operation): boolean {
    return this.does(collection, ['make', 'upload', 'delete'], besides);
  }

  /** Whether another upload can have the collection while this one comes. */
  hasRivals(upload: Make | Upload): boolean {
    return this.does(upload.collection, ['make', 'upload'], upload);
  }

  /** Starts the client's program. */
  program(
    index: number,
    args: readonly string[],
    url: string,
    env: Readonly<Record<string, string>>,
  ): Program {
    const [name = '', mark = ''] = this.mark.split('=');
    const lean = ++programs % 4 > 0;
    const program = new Program([...(lean ? LEAN_FLAGS : []), this.tools.client, ...args], {
      ...(lean && CLIENT_MEMORY.variables),
      ...{ PATH: process.env.PATH ?? '', TMPDIR: join(this.folder, 'tmp'), [name]: mark },
      ...{ NODE_COMPILE_CACHE: join(this.folder, '../compiled'), BM_LOG_FORMAT: 'text' },
      ...{ BM_URL: url, BM_AUTH_TOKEN: this.world.token, BM_PASSPHRASE: this.tools.keys.passphrase },
      // A half open line is noticed after so many seconds of silence.
      BM_IDLE_TIMEOUT: this.line ? '1.5' : '30',
      ...env,
    });
    this.programs.set(index, [...(this.programs.get(index) ?? []), program]);
    return program;
  }
}
