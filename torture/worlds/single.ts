/** One server with SQLite and a folder, as a small installation has it; on disks that can be full, if those are wanted. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Server } from '../play/server.ts';
import { Disk } from './disk.ts';
import { login, newModel, programStart, revive, serverFolder, type World } from './world.ts';

export class Single implements World {
  readonly name: 'single' | 'small';
  readonly model = newModel();
  readonly lockedMs = 0;
  readonly server: Server;
  readonly disks: Readonly<Record<'objects' | 'database', Disk>> | undefined;
  token = '';
  readonly objectsFolder: string;

  static async start(program: string, under: string, small: boolean): Promise<Single> {
    const folder = serverFolder(under, small ? 'small' : 'single');
    const disks = small
      ? { objects: Disk.mount(folder, 'objects', 160), database: Disk.mount(folder, 'database', 24) }
      : undefined;
    const objects = disks?.objects.path ?? join(folder, 'objects');
    const database = join(disks?.database.path ?? folder, 'backups.db');
    const flags = ['--storage', objects, '--database', `sqlite://${database}`];
    const server = new Server(await programStart(program, folder, flags));
    const world = new Single(server, objects, disks);
    await server.start();
    world.token = await login(server);
    return world;
  }

  private constructor(server: Server, objects: string, disks: Single['disks']) {
    this.name = disks ? 'small' : 'single';
    this.server = server;
    this.disks = disks;
    this.objectsFolder = objects;
  }

  get servers(): readonly Server[] {
    return [this.server];
  }

  async recover(): Promise<string[]> {
    for (const disk of Object.values(this.disks ?? {})) disk.free();
    this.server.turnClock(0);
    return revive(this.server);
  }

  async objects(): Promise<number> {
    return readdirSync(this.objectsFolder, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && !entry.parentPath.endsWith('.tmp') && !entry.name.startsWith('filler-'),
    ).length;
  }

  async temporary(): Promise<string[]> {
    return readdirSync(join(this.objectsFolder, '.tmp'));
  }

  async stop(): Promise<string[]> {
    const status = await this.server.end('SIGTERM');
    for (const disk of Object.values(this.disks ?? {})) disk.unmount();
    return status === 0 ? [] : [`asked to stop, the server ended with ${status}:\n${this.server.output}`];
  }
}
