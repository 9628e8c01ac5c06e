/** Random inputs for the function: from plain noise to lists that are nearly right. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { emitYaml } from '../../src/krm/emit.ts';
import type { JsonObject, JsonValue } from '../../src/krm/json.ts';
import { documentsOf, fixtures, goodCases, inputOf, objectsOf, resourceList } from '../resource-lists.ts';
import { TAGS, TEXTS } from './hostile.ts';
import type { Random } from './random.ts';

/** What the mutations start from. */
export interface Corpus {
  texts: readonly string[];
  lists: readonly JsonObject[][];
}

export function readCorpus(): Corpus {
  const good = goodCases().map(inputOf);
  const folder = join(fixtures, 'bad');
  const bad = readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => resourceList(documentsOf(readFileSync(join(folder, file), 'utf8'))));
  return { texts: [...good, ...bad], lists: good.map(objectsOf) };
}

const makers: readonly ((random: Random, corpus: Corpus) => Uint8Array)[] = [
  noise,
  soup,
  mutatedText,
  mutatedText,
  mutatedBytes,
  mutatedTree,
  mutatedTree,
  mutatedTree,
  hostileTemplate,
  hostileTemplate,
];

export function randomInput(random: Random, corpus: Corpus): Uint8Array {
  return random.pick(makers)(random, corpus);
}

function noise(random: Random): Uint8Array {
  const bytes = new Uint8Array(random.below(200));
  for (let at = 0; at < bytes.length; at++) bytes[at] = random.below(random.chance(0.5) ? 256 : 128);
  return bytes;
}

/** Words of YAML and of our kinds in any order, under the head of a ResourceList. */
function soup(random: Random): Uint8Array {
  const words = [
    '\n',
    '\n  ',
    '\n- ',
    ': ',
    'kind',
    'spec',
    'items',
    'metadata',
    'name',
    'annotations',
    ...TEXTS,
  ];
  let text = random.chance(0.8) ? 'apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n' : '';
  for (let left = random.below(40); left > 0; left--) text += random.pick(words);
  return encode(text);
}

function mutatedText(random: Random, { texts }: Corpus): Uint8Array {
  let text = random.pick(texts);
  for (let left = random.pick([1, 1, 1, 2, 4]); left > 0; left--) {
    const from = random.below(text.length + 1);
    const to = Math.min(text.length, from + random.below(random.chance(0.8) ? 8 : 400));
    const other = random.pick(texts);
    const start = random.below(other.length);
    const insert = random.pick([
      '',
      random.pick(TEXTS),
      random.pick(TAGS),
      text.slice(from, to).repeat(2),
      other.slice(start, start + random.below(200)),
    ]);
    text = text.slice(0, from) + insert + text.slice(to);
  }
  return encode(text);
}

function mutatedBytes(random: Random, { texts }: Corpus): Uint8Array {
  const bytes = encode(random.pick(texts));
  for (let left = 1 + random.below(6); left > 0; left--)
    bytes[random.below(bytes.length)] = random.below(256);
  return random.chance(0.2) ? bytes.subarray(0, random.below(bytes.length)) : bytes;
}

/** A list that is well-formed YAML, with members that are missing, moved, renamed or of another type. */
function mutatedTree(random: Random, { lists }: Corpus): Uint8Array {
  const items = structuredClone(random.pick(lists)) as JsonValue[];
  for (let left = random.pick([0, 0, 0, 1, 3]); left >= 0; left--) mutate(items, random);
  if (random.chance(0.3)) items.push(structuredClone(random.pick(random.pick(lists))));
  const list = { apiVersion: 'config.kubernetes.io/v1', kind: 'ResourceList', items, ...config(random) };
  return encode(random.chance(0.2) ? JSON.stringify(list) : emitYaml(list as JsonObject, 0));
}

function config(random: Random): JsonObject {
  if (random.chance(0.6)) return {};
  const data: JsonObject = {};
  const keys = [
    'networkPolicy',
    'serviceAccount',
    'mode',
    'podTemplate',
    'repositoryUrl',
    'requireReferences',
    'outputFolder',
  ];
  for (let left = random.below(4); left > 0; left--)
    data[random.pick(keys)] = random.pick(['true', 'true', 'validate', 'https://example.org', 'x', ...TEXTS]);
  return { functionConfig: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data } };
}

function mutate(root: JsonValue[], random: Random): void {
  let holder: JsonValue = root;
  for (let depth = random.below(9); depth > 0; depth--) {
    const children: JsonValue[] = Object.values(holder as JsonObject).filter(
      (child) => child !== null && typeof child === 'object',
    );
    if (children.length === 0) break;
    holder = random.pick(children);
  }
  const map = holder as JsonObject;
  const keys = Object.keys(map);
  const key = keys.length > 0 ? random.pick(keys) : 'x';
  const change = random.below(5);
  if (change === 0) delete map[key];
  else if (change === 1) define(map, random.pick(TEXTS), map[key] ?? null);
  else if (change === 2) map[key] = randomValue(random, 3);
  else if (change === 3) define(map, `${key.slice(1)}${key.charAt(0)}`, randomValue(random, 2));
  else map[key] = [map[key] ?? null, randomValue(random, 1)];
  if (Array.isArray(holder))
    holder.splice(0, holder.length, ...holder.filter((entry) => entry !== undefined));
}

function define(map: JsonObject, key: string, value: JsonValue): void {
  if (Array.isArray(map)) map.push(value);
  else Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
}

function randomValue(random: Random, depth: number): JsonValue {
  const choice = random.below(depth > 0 ? 8 : 6);
  if (choice < 3) return random.pick(TEXTS);
  if (choice === 3) return random.pick([0, -1, 1.5, 1e300, 2 ** 53, true, false, null]);
  if (choice === 4) return random.pick(TAGS);
  if (choice === 5) return random.pick(TEXTS) + random.pick(TEXTS);
  if (choice === 6) return Array.from({ length: random.below(4) }, () => randomValue(random, depth - 1));
  const map: JsonObject = {};
  for (let left = random.below(4); left > 0; left--)
    define(map, random.pick(TEXTS), randomValue(random, depth - 1));
  return map;
}

const LEGAL = /^\{\{-? ?(\.(Params\.[xy]|Repository\.url)|"literal|`raw)|^[^{}]*$/;

/** A procedure of the user's own, and vars for it, made of pieces that have broken template engines. */
function hostileTemplate(random: Random): Uint8Array {
  // Half of them use only what is allowed, or hardly any would ever be rendered.
  const tags = random.chance(0.5) ? TAGS : TAGS.filter((tag) => LEGAL.test(tag));
  const script = () =>
    Array.from({ length: 1 + random.below(8) }, () => random.pick(random.chance(0.7) ? tags : TEXTS)).join(
      random.pick(['', ' ', '\n']),
    );
  const params: JsonObject = {
    x: randomValue(random, 2),
    y: random.pick(TEXTS),
    password: random.pick(TEXTS),
  };
  define(params, random.pick(TEXTS), randomValue(random, 3));
  const vars: JsonObject = { Params: params, HelmValues: { env: { A: random.pick(TEXTS) } } };
  const items: JsonObject[] = [
    {
      apiVersion: 'riotkit.org/v1alpha1',
      kind: 'ClusterBackupProcedureTemplate',
      metadata: { name: 'own' },
      spec: { image: 'example.org/own:1', backup: script(), restore: random.chance(0.7) ? 'true' : script() },
    },
    {
      apiVersion: 'riotkit.org/v1alpha1',
      kind: 'ScheduledBackup',
      metadata: { name: 'app', namespace: 'shop' },
      spec: {
        collectionId: 'app',
        cronJob: { enabled: true },
        templateRef: { kind: 'ClusterBackupProcedureTemplate', name: 'own' },
        vars: random.chance(0.5) ? vars : emitYaml(vars, 0),
        ...(random.chance(0.5) && { varsSecretRef: { secretName: 'values' } }),
        gpgKeySecretRef: { secretName: 'keys' },
        accessKeySecretRef: { name: 'access' },
        repository: { url: 'https://backups.example.org' },
      },
    },
  ];
  return encode(
    emitYaml({ apiVersion: 'config.kubernetes.io/v1', kind: 'ResourceList', items } as JsonObject, 0),
  );
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
