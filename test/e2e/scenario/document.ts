/** docs/compatibility.md as it is made from the matrix. */
import { MATRIX_FILE, type Matrix, type Row } from './matrix.ts';

const DATA: Readonly<Record<Row['data'], string>> = {
  postgres: 'PostgreSQL',
  mariadb: 'MariaDB',
  redis: 'Redis',
  sqlite: 'SQLite',
  files: 'Files',
  etcd: 'etcd',
};

export function documentOf(matrix: Matrix): string {
  return `# What is tested together

Made from [${MATRIX_FILE}](../${MATRIX_FILE}), which \`node test/run.ts e2e/scenario\` runs row by row. Do not edit it here:
\`UPDATE=1 node test/run.ts e2e/scenario/document\` writes it anew.

In each row a package in Git is rendered by the function, and its pods run in containers as they were rendered, with the server from our
image beside them: a backup by the CronJob, a change of the data, a second backup, another change, a \`RequestedBackupAction\` that restores
the first version by its number, and one that restores the newest. After each restore the data is compared as a whole, and each backup leaves it,
and the owners and modes on its volumes, as they were.

| Data | Version | Image of the pods | Procedure | Encryption | Rendered with |
| --- | --- | --- | --- | --- | --- |
${matrix.rows.map(lineOf).join('\n')}

The original's flow runs, too: its example manifests with \`gpgKeySecretRef\`, \`tokenSecretRef\`, \`varsSecretRef\` and a
ClusterBackupProcedureTemplate that calls \`pgbr\`; a \`RequestedBackupAction\` that backs up, an added row, one that restores \`v1\`.

## Stand-ins

The tests need no registry. Images that are not on the machine are made from Debian packages or from source, and carry the name of the
stock image; one that is there already is kept and tested. What is inside is the version that the table says, built by other people
than the stock image:

| Image | Inside |
| --- | --- |
${matrix['stand-ins'].map(({ image, inside }) => `| \`${image}\` | ${inside} |`).join('\n')}

Other versions that [procedures.md](procedures.md) names are those of stock images, and were not run here.

## Not run

${matrix.missing.map(({ data, reason }) => `- **${data}**: ${reason}.`).join('\n')}

## What is looked at in the running containers

In every row, in \`/proc\` and in the mounts, while a backup's upload and the end of a restore wait:

- no process is root, has a capability, could get one (\`NoNewPrivs\`), or runs without a seccomp filter;
- the root file system is read-only with a built-in procedure; scripts, keys and the client are read-only always. A template of your own may
  write to its root file system, because those of the original did;
- no token of a ServiceAccount is mounted;
- a backup's pod holds no private key and no passphrase, in no file and no variable; a restore's pod holds one key, in \`/mnt/secrets\`;
- no argument of any process and no ConfigMap holds a secret. **What your own template writes into a command line is there for all to
  read**: \`pgbr --password={{ .Params.password }}\` of the original's example is such a line; export a variable instead;
- the token that the client logs in for can do nothing but its operation on its collection.

## A restore happens once

The Job of a \`RequestedBackupAction\` may be created again and again; the server's ledger lets it act once.

| What happens | Then |
| --- | --- |
| it runs again after it was done | exit status 0, nothing is touched |
| two run at once | one restores, the other ends with 12 |
| the answer to its claim is lost once | it asks again, and restores once |
| no answer to its claim comes through | exit status 75, nothing is restored. The claim may stand at the server for five minutes: until then 12. A new \`runId\` restores at once |
| the answer to its end is lost | it is done, exit status 0 |
| it fails, or is stopped | the same action does nothing from then on, exit status 12. Look at the data, then write \`retry: true\` into the action, and take it out when it is done; or give it a new \`runId\` |
| it is killed so hard that it cannot say so | the same, after the five minutes of its claim |
`;
}

function lineOf({ data, version = '', image, procedure, encryption, with: tool }: Row): string {
  const cells = [
    DATA[data],
    version,
    image === undefined ? "the client's own" : `\`${image}\``,
    procedure === 'own' ? "a user's own template" : `\`${procedure}\``,
    encryption === 'openpgp' ? 'OpenPGP' : 'age',
    tool,
  ];
  return `| ${cells.join(' | ')} |`;
}
