/** Measures the function: start, growth, memory, beside what people would use instead. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { record } from '../shared/results.ts';
import { findTools } from '../shared/tools.ts';
import { functionCases } from './cases.ts';
import { emitting, slicing } from './parts.ts';
import type { FunctionResults } from './report.ts';

export const FUNCTION_TOOLS = ['kustomize', 'helm', 'go-peer'] as const;

export interface FunctionOptions {
  /** Caps the number of runs of every case. */
  runs: number | undefined;
  /** Largest number of sources. */
  most: number;
}

export async function measureFunction({ runs, most }: FunctionOptions): Promise<FunctionResults> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-function-'));
  const { tools, missing } = findTools(FUNCTION_TOOLS);
  // Ours, built from this repository: it has no version worth telling.
  const peers = tools.filter(({ name }) => name !== 'go-peer');
  try {
    return await record('npm run bench -- function', peers, missing, async () => ({
      cases: [
        ...functionCases(folder, { runs: (usual) => Math.min(usual, runs ?? usual), most }),
        emitting(),
        slicing(),
      ],
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
