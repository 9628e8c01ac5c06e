/** Problems that the planner finds in a ScheduledBackup, said of the definition file and the flags that it was made of. */
import type { Problem } from '../api/problem.ts';
import type { Equivalent } from './definition-equivalent.ts';
import type { DefinitionTarget } from './definition-target.ts';

/** Fields of the ScheduledBackup that come from somewhere else than the same path of the definition. */
const PLACES: readonly [field: RegExp, place: string][] = [
  [/^spec\.repository\.url$/, 'Repository.url'],
  [/^spec\.collectionId$/, 'Repository.collectionId'],
  [/^spec\.(accessKeySecretRef|tokenSecretRef)\b.*$/, 'Repository.token'],
  [/^spec\.templateRef\.image$/, '--k8s-image'],
  [/^spec\.templateRef\.version$/, '--template'],
  [/^spec\.templateRef(\.name)?$/, '--template'],
  [/^spec\.scheduledBackupRef$/, '--gpg-key-path'],
  [/^spec\.gpgKeySecretRef\b.*$/, '--gpg-key-path'],
  [/^spec\.encryption\b.*$/, '--gpg-key-path'],
  [/^spec\.cronJob\.scheduleEvery$/, '--k8s-job-schedule'],
  [/^spec\.targetVersion$/, '--target-version'],
  [/^spec\.runId$/, '--run-id'],
  [/^spec\.image$/, '--k8s-image'],
  [/^spec\.(backup|restore)$/, '--template'],
  [/^spec\.vars\.?/, ''],
  [/^metadata\.name$/, '--k8s-name'],
  [/^metadata\.namespace$/, '--k8s-namespace'],
];

/** The problem in the words of the definition; undefined if it is none here. */
export function translateProblem(
  problem: Problem,
  target: DefinitionTarget,
  equivalent: Equivalent,
): Problem | undefined {
  const { code, path = '' } = problem;
  const script = target.form === 'script';
  // Names of the tool's versions are names of images.
  if (script && code === 'unpinned-version') return undefined;
  if (code === 'expiring-token' && equivalent.variables.has('Repository.token')) return undefined;
  // Only a restore is given it.
  if (target.operation === 'backup' && path.endsWith('Repository.passphrase') && code === 'plaintext-secret')
    return undefined;
  const [pattern, place] = PLACES.find(([field]) => field.test(path)) ?? [/^$/, ''];
  const translated = {
    ...problem,
    path:
      place === '--template' && target.template.own && path !== 'spec.templateRef'
        ? target.template.own.file
        : path.replace(pattern, place),
    message: messageFor(problem, target),
    ...(problem.proposal !== undefined && { proposal: problem.proposal.replace(/^spec\.vars\./, '') }),
  };
  return translated.path === '' ? withoutPath(translated) : translated;
}

function withoutPath({ path: _, ...problem }: Problem): Problem {
  return problem;
}

function messageFor(
  { code, path = '', message }: Problem,
  { form, operation, template }: DefinitionTarget,
): string {
  const kept = form === 'script' ? `${operation}.env` : `the Secret in ${operation}.yaml`;
  if (code === 'plaintext-secret' && /^spec\.(backup|restore)$/.test(path))
    return 'holds what looks like a credential in clear text: write it into Params of the definition, and {{ .Params.NAME }} here';
  if (code === 'plaintext-secret' && path === 'spec.vars.HelmValues.env')
    return `values in clear text, kept in ${kept}: whoever can read that file or the definition can read them`;
  if (code === 'plaintext-secret')
    return `a credential in clear text, kept in ${kept}: whoever can read that file or the definition can read it`;
  if (code === 'expiring-token')
    return 'a token expires, and then this fails: use an access key instead, as BM_ACCESS_KEY_USERNAME and BM_ACCESS_KEY_PASSWORD in HelmValues.env';
  if (code === 'missing-field' && path === 'spec.accessKeySecretRef')
    return 'is required: a token of the server; better, leave it out and set BM_ACCESS_KEY_USERNAME and BM_ACCESS_KEY_PASSWORD in HelmValues.env';
  if (code === 'missing-field' && path === 'spec.repository.url')
    return 'is required: the address of the server, such as https://backups.example.org';
  if (code === 'unpinned-version' && path === 'spec.templateRef.version')
    return message
      .replace(/^is not set, so/, `names no version, so`)
      .replace(
        /write the version of your server/,
        template.name === 'postgres'
          ? 'write the one of your server, such as pg16, or --k8s-image'
          : "name the image of your server's version with --k8s-image",
      );
  return message
    .replace(
      /, or keep it in a Secret under the entry HelmValues\.env\.(\S+) and name that Secret in spec\.varsSecretRef$/,
      form === 'script'
        ? ', or leave it out and set $1 where the script is started'
        : ', or leave it out and give a SealedSecret with the entry HelmValues.env.$1',
    )
    .replace('not set in the pod', form === 'script' ? 'not set' : 'not set in the pod')
    .replace(/, or move these values into .* in spec\.varsSecretRef$/, '')
    .replace('spec.vars of the ScheduledBackup', 'the definition')
    .replace('vars.HelmValues.env', 'HelmValues.env')
    .replace(/: see spec\.podTemplate and spec\.cronJob$/, '');
}
