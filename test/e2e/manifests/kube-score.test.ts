/** kube-score over everything that the fixtures generate: no finding that is not explained here. */
import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { generatedObjects } from '../../manifests/generated.ts';

const test = suite('manifests: kube-score');

/** Why a finding is right to stand, by the id of the check. */
const EXPLAINED: Readonly<Record<string, string>> = {
  'container-ephemeral-storage-request-and-limit':
    'Some operations spool the whole data to the scratch volume. Nobody knows its size when rendering, and a limit too low would fail exactly the restore that matters. All others have the limit.',
  'container-image-pull-policy':
    'Always would make every backup depend on the registry at that hour. Tags are pinned, and for :latest Kubernetes pulls always anyway.',
  'container-image-tag':
    'The image of a ClusterBackupProcedureTemplate is the choice of whoever wrote it. Ours are always pinned.',
  'container-security-context-readonlyrootfilesystem':
    'Scripts of a ClusterBackupProcedureTemplate were written for a writable root file system. Built-in procedures have a read-only one.',
  'container-security-context-user-group-id':
    'The user of the image of a ClusterBackupProcedureTemplate, or the one that spec.podTemplate gives to reach files of an application. Built-in procedures run as 65532.',
  'networkpolicy-targets-pod':
    'A ScheduledBackup without a schedule has no pod until somebody adds a RequestedBackupAction, and the policy must be there before.',
  'pod-networkpolicy':
    "networkPolicy is a switch of the function's configuration, off by default: a policy in a cluster that was open before cuts off what the list does not show, such as a database outside.",
};

interface Score {
  object_name: string;
  checks: { check: { id: string }; grade: number; skipped: boolean; comments: Comment[] | null }[];
}

interface Comment {
  path: string;
  summary: string;
}

/** The highest grade, which means that nothing was found. */
const FLAWLESS = 10;

function findings(): { id: string; message: string }[] {
  const fixtures = Map.groupBy(generatedObjects(), ({ label }) => label.split(':', 1)[0] ?? '');
  return [...fixtures].flatMap(([fixture, objects]) => {
    const input = objects.map(({ object }) => JSON.stringify(object)).join('\n---\n');
    const args = ['score', '--output-format', 'json', '--kubernetes-version', 'v1.31', '-'];
    const { stdout, stderr, error } = spawnSync('kube-score', args, {
      input,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    if (error) throw error;
    if (!stdout.startsWith('[')) throw new Error(`${fixture}: ${stderr}`);
    return (JSON.parse(stdout) as Score[]).flatMap((score) => findingsOf(score, fixture));
  });
}

function findingsOf(
  { object_name: name, checks }: Score,
  fixture: string,
): { id: string; message: string }[] {
  return checks
    .filter(({ grade, skipped }) => !skipped && grade < FLAWLESS)
    .map(({ check: { id }, comments }) => {
      const what = (comments ?? []).map(({ path, summary }) => `${path}: ${summary}`).join('; ');
      return { id, message: `${fixture}: ${name}: ${id}: ${what}` };
    });
}

test('every finding is explained, and every explanation is needed', () => {
  const found = findings();
  const unexplained = found.filter(({ id }) => EXPLAINED[id] === undefined);
  assert.equal(
    unexplained.map(({ message }) => message),
    [],
  );
  const needed = new Set(found.map(({ id }) => id));
  assert.equal(
    Object.keys(EXPLAINED).filter((id) => !needed.has(id)),
    [],
  );
});

test('built-in procedures with a schedule and our own defaults have no finding but three', () => {
  const allowed = [
    'container-ephemeral-storage-request-and-limit',
    'container-image-pull-policy',
    'pod-networkpolicy',
  ];
  const found = findings().filter(({ message }) => message.startsWith('every-procedure:'));
  assert.ok(found.length > 0);
  assert.equal(
    found.filter(({ id }) => !allowed.includes(id)).map(({ message }) => message),
    [],
  );
});

test.run();
