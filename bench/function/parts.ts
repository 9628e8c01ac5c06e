/** Parts of the function against the general tools that could stand in their place, in this process. */
import { parse, stringify } from 'yaml';
import { emitYaml } from '../../src/krm/emit.ts';
import type { JsonObject } from '../../src/krm/json.ts';
import { readResourceList } from '../../src/krm/resource-list.ts';
import { parseExactly, parseKubernetesYaml } from '../../src/krm/yaml.ts';
import { type Measurement, named } from '../shared/measure.ts';
import { resourceList, resources } from './input.ts';
import type { Case } from './report.ts';

const ROLES: Readonly<Record<string, 'ours' | 'peer'>> = {
  'our emitter': 'ours',
  'our reader': 'ours',
  'line slices': 'ours',
};

/** Writing YAML, and reading what is ours. */
export function emitting(): Case {
  const texts = resources(200, 200);
  const objects = texts.map((text) => parse(text) as JsonObject);
  const measured = inTurns(15, {
    'yaml.stringify': () => objects.map((object) => stringify(object, { lineWidth: 0, compat: 'yaml-1.1' })),
    'our emitter': () => objects.map((object) => emitYaml(object, 0)),
    'the parser, through our conversion': () => texts.map(parseExactly),
    'our reader': () => texts.map(parseKubernetesYaml),
  });
  return { id: 'emitting', title: 'In process: writing, then reading, 400 objects', measured };
}

/** Finding the items of a list. */
export function slicing(): Case {
  const text = resourceList(0, 1000);
  const measured = inTurns(7, {
    'yaml.parse': () => parse(text),
    'line slices': () => readResourceList(text),
  });
  return {
    id: 'slicing',
    title: `In process: reading a list of ${(text.length / 1e6).toFixed(1)} MB`,
    measured,
  };
}

function inTurns(runs: number, parts: Readonly<Record<string, () => unknown>>): Measurement[] {
  const times = new Map(Object.keys(parts).map((name) => [name, [] as number[]]));
  // Two rounds to warm up.
  for (let round = -2; round < runs; round++) {
    for (const [name, part] of Object.entries(parts)) {
      const start = performance.now();
      part();
      if (round >= 0) times.get(name)?.push(performance.now() - start);
    }
  }
  return [...times].map(([name, taken]) => named({ name, role: ROLES[name] ?? 'reference' }, taken));
}
