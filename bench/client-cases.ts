/** What the client is compared with: pipes of stock tools to the same server, and two backup programs of their own kind. */
import { spawnSync } from 'node:child_process';

export interface Case {
  /** As it stands in the table. */
  name: string;
  /** Group within which ratios are of interest. */
  group: 'backup' | 'restore';
  /** The commands that must be there. */
  needs: readonly string[];
  /** Run once before each measured run, not measured. */
  before?: string;
  run: string;
  /** Prints the number of bytes that are stored now. */
  stored?: string;
  /** Prepares, once, what restores read. */
  prepare?: string;
}

/** Variables that the scripts use: DATA, SIZE, URL, TOKEN, KEYS, REPOS, MAKER (the program's path). */
const post = (collection: string) =>
  `curl -fsS -o /dev/null -T - -X POST -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/octet-stream' "$URL/api/alpha/repository/collection/${collection}/version"`;
const get = (collection: string) =>
  `curl -fsS -H "Authorization: Bearer $TOKEN" "$URL/api/alpha/repository/collection/${collection}/version/latest"`;
const storedAs = (collection: string) =>
  `curl -fsS -H "Authorization: Bearer $TOKEN" "$URL/api/stable/repository/collection/${collection}/version" | sed -n 's/.*"filesize": *\\([0-9]*\\).*/\\1/p' | tail -n 1`;
const ours = (collection: string, flags: string) =>
  `"$MAKER" make -i ${collection} --progress never --log-level error --cmd 'cat "$DATA"' ${flags}`;
const back = (collection: string, flags: string) =>
  `"$MAKER" restore -i ${collection} --progress never --log-level error --cmd 'cat > /dev/null' ${flags}`;
const GPG = 'gpg --homedir "$KEYS/gnupg" --batch --quiet --trust-model always';
const RESTIC = 'restic --quiet --no-cache -r "$REPOS/restic" --password-file "$KEYS/passphrase"';

function backup(name: string, collection: string, needs: string[], run: string): Case {
  return { name, group: 'backup', needs, run, stored: storedAs(collection) };
}

export const CASES: readonly Case[] = [
  backup('backup-maker, age, zstd', 'age-zstd', [], ours('age-zstd', '--key "$KEYS/age.pub"')),
  backup(
    'backup-maker, age, not compressed',
    'age-none',
    [],
    ours('age-none', '--key "$KEYS/age.pub" --compress none'),
  ),
  backup('backup-maker, OpenPGP, zstd', 'pgp-zstd', [], ours('pgp-zstd', '--key "$KEYS/pgp.pub"')),
  backup(
    'backup-maker, OpenPGP, not compressed',
    'pgp-none',
    [],
    ours('pgp-none', '--key "$KEYS/pgp.pub" --compress none'),
  ),
  backup(
    'zstd -1 \\| age \\| curl',
    'pipe-age-zstd',
    ['zstd', 'age', 'curl'],
    `zstd -1 -q < "$DATA" | age -R "$KEYS/age.pub" | ${post('pipe-age-zstd')}`,
  ),
  backup(
    'age \\| curl',
    'pipe-age',
    ['age', 'curl'],
    `age -R "$KEYS/age.pub" < "$DATA" | ${post('pipe-age')}`,
  ),
  backup(
    'zstd -1 \\| gpg -z0 \\| curl',
    'pipe-gpg-zstd',
    ['zstd', 'gpg', 'curl'],
    `zstd -1 -q < "$DATA" | ${GPG} --encrypt -z0 -r bench@example.org | ${post('pipe-gpg-zstd')}`,
  ),
  backup(
    'gpg -z0 \\| curl',
    'pipe-gpg',
    ['gpg', 'curl'],
    `${GPG} --encrypt -z0 -r bench@example.org < "$DATA" | ${post('pipe-gpg')}`,
  ),
  backup(
    "the original's gpg --encrypt --armor \\| curl",
    'pipe-original',
    ['gpg', 'curl'],
    `${GPG} --encrypt --always-trust --armor --yes -r bench@example.org < "$DATA" | ${post('pipe-original')}`,
  ),
  {
    name: 'restic backup --stdin',
    group: 'backup',
    needs: ['restic'],
    before: `rm -rf "$REPOS/restic"; ${RESTIC} init`,
    run: `${RESTIC} backup --stdin < "$DATA"`,
    stored: 'du -sb "$REPOS/restic" | cut -f 1',
  },
  ...['lz4', 'zstd,1'].map(
    (compression): Case => ({
      name: `borg create -C ${compression}`,
      group: 'backup',
      needs: ['borg'],
      before: 'rm -rf "$REPOS/borg"; borg init -e repokey-blake2 "$REPOS/borg"',
      run: `borg create -C ${compression} "$REPOS/borg::a" - < "$DATA"`,
      stored: 'du -sb "$REPOS/borg" | cut -f 1',
    }),
  ),
  {
    name: 'backup-maker, age, zstd',
    group: 'restore',
    needs: [],
    run: back('age-zstd', '--private-key "$KEYS/age"'),
  },
  {
    name: 'backup-maker, OpenPGP, zstd',
    group: 'restore',
    needs: [],
    run: back('pgp-zstd', '--private-key "$KEYS/pgp"'),
  },
  {
    name: 'curl \\| age -d \\| zstd -d',
    group: 'restore',
    needs: ['zstd', 'age', 'curl'],
    run: `${get('pipe-age-zstd')} | age -d -i "$KEYS/age" | zstd -dq > /dev/null`,
  },
  {
    name: 'curl \\| gpg -d \\| zstd -d',
    group: 'restore',
    needs: ['zstd', 'gpg', 'curl'],
    run: `${get('pipe-gpg-zstd')} | ${GPG} --decrypt | zstd -dq > /dev/null`,
  },
  {
    name: 'restic dump',
    group: 'restore',
    needs: ['restic'],
    run: `${RESTIC} dump latest stdin > /dev/null`,
  },
  {
    name: 'borg extract --stdout',
    group: 'restore',
    needs: ['borg'],
    run: 'borg extract --stdout "$REPOS/borg::a" > /dev/null',
  },
];

/** The commands of the list that are not to be had, each once. */
export function missing(): string[] {
  const needed = new Set(CASES.flatMap(({ needs }) => needs));
  return [...needed].filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
}

/** First lines of what the tools say of themselves. */
export function versions(): string[] {
  return ['gpg', 'age', 'zstd', 'curl', 'restic', 'borg'].flatMap((name) => {
    const { stdout, status } = spawnSync(name, [name === 'restic' ? 'version' : '--version'], {
      encoding: 'utf8',
    });
    const number = /\d+\.\d+[.\d]*/.exec(stdout ?? '')?.[0];
    return status === 0 && number ? [`${name} ${number}`] : [];
  });
}
