/** The manifests of deploy/ as kustomize builds them, and the Secrets that they leave to the operator. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { encodePassword } from '../../../src/server/access/password.ts';
import { documents, type Manifest, root, succeed } from '../sandbox.ts';

export const DEPLOYMENTS = ['base', 'postgres-s3', 'monitoring'] as const;

/** The text of a build. No plugin is needed for these. */
export function buildText(path: string): string {
  return succeed('kustomize', ['build', path], { cwd: root, path: [] });
}

export function buildObjects(path: string): Manifest[] {
  return documents(buildText(path));
}

/** Compares with test/e2e/gitops/expected/, or writes it with UPDATE=1. */
export function expectText(name: string, text: string): void {
  const file = join(import.meta.dirname, 'expected', name);
  if (process.env.UPDATE === '1') writeFileSync(file, text);
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  assert.fixture(text, before, `${file} is not what comes out: UPDATE=1 writes it; then read git diff`);
}

/** The passwords in clear text, by entry of the Secret backup-repository-passwords. */
export const PASSWORDS = {
  admin: 'correct horse battery',
  'shop-backup': 'staple of the shop',
  'shop-restore': 'the way back',
} as const;

export const HEALTH_KEY = 'code of the health check';

/** What docs/deploy.md tells the operator to make. */
export async function secrets(): Promise<Manifest[]> {
  const encoded: Record<string, string> = {};
  for (const [entry, password] of Object.entries(PASSWORDS)) encoded[entry] = await encodePassword(password);
  return [
    secret('backup-repository', {
      'jwt-secret-key': 'k'.repeat(64),
      'health-check-key': HEALTH_KEY,
    }),
    secret('backup-repository-passwords', encoded),
  ];
}

function secret(name: string, stringData: Record<string, string>): Manifest {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData };
}
