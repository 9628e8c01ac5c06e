/** Configuration folders for tests, and objects to put into them. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FilesystemProvider } from '../../../src/server/configuration/filesystem.ts';

/** The encoded password `admin` of the original's documentation. */
export const ADMIN_PASSWORD =
  'JGFyZ29uMmlkJHY9MTkkbT02NTUzNix0PTEscD00JHpuVy9IT2Y4Q3RkdStvNSttYlR2REE9PSRaZlVpRGl2QWV2T2RZNndKYWJBb0FQdmM1a1hsemxDNkg2OFY2dGVmNUY0PQ==';

export const user = (name: string, spec = 'roles: []') =>
  `apiVersion: backups.riotkit.org/v1alpha1\nkind: BackupUser\nmetadata: {name: ${name}}\nspec: {${spec}}\n`;
export const collection = (name: string, spec = 'description: x') =>
  `apiVersion: backups.riotkit.org/v1alpha1\nkind: BackupCollection\nmetadata: {name: ${name}}\nspec: {filenameTemplate: x, maxBackupsCount: 5, maxOneVersionSize: 1M, maxCollectionSize: 10M, ${spec}}\n`;
export const secret = (name: string, entries: string, field = 'stringData') =>
  `apiVersion: v1\nkind: Secret\nmetadata: {name: ${name}}\n${field}: {${entries}}\n`;

export interface Folder {
  path: string;
  /** Writes a file as a careful program does: whole, and then under its name. */
  write(name: string, text: string): void;
  remove(name: string): void;
  provider(options?: Partial<ConstructorParameters<typeof FilesystemProvider>[0]>): FilesystemProvider;
}

const made: { path: string; providers: FilesystemProvider[] }[] = [];

export function folder(files: Record<string, string> = {}): Folder {
  const path = mkdtempSync(join(tmpdir(), 'configuration-'));
  const providers: FilesystemProvider[] = [];
  made.push({ path, providers });
  const write = (name: string, text: string) => {
    const file = join(path, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  return {
    path,
    write,
    remove: (name) => rmSync(join(path, name), { recursive: true }),
    provider(options = {}) {
      const provider = new FilesystemProvider({ path, debounceMs: 5, ...options });
      providers.push(provider);
      return provider;
    },
  };
}

/** Ends what all folders began, and removes them. */
export async function removeFolders(): Promise<void> {
  for (const { path, providers } of made.splice(0)) {
    await Promise.all(providers.map((provider) => provider.stop()));
    rmSync(path, { recursive: true, force: true });
  }
}
