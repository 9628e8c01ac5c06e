/**
 * What the client is compared with: pipes of stock tools to the same server, and backup programs of their own kind, each
 * at its own defaults.
 *
 * Scripts are run by bash with DATA, URL, TOKEN, KEYS, REPOS, MAKER (the program's path) and ARCHIVE (`first` or `second`).
 */

export type Group = 'backup' | 'restore';

export interface Case {
  /** As it stands in tables and charts. */
  name: string;
  group: Group;
  role: 'ours' | 'peer';
  /** Of a peer: the row of ours that does the same work. */
  against?: string;
  /** The commands that must be there. */
  needs: readonly string[];
  /** Run before each first backup or restore, not measured. */
  before?: string;
  run: string;
  /** Prints the number of bytes that are stored now. */
  stored?: string;
  /** Whether a second backup is measured too; for a repository, what it added is what grew. */
  again?: 'stored whole' | 'added to a repository';
  /** The server's collection that it writes to. */
  collection?: string;
}

const HEADER = '-H "Authorization: Bearer $TOKEN"';
const VERSIONS = '$URL/api/stable/repository/collection';
const GPG = 'gpg --homedir "$KEYS/gnupg" --batch --quiet --trust-model always';
const RESTIC = 'restic --quiet -r "$REPOS/restic" --password-file "$KEYS/passphrase"';
const KOPIA = 'kopia --config-file "$REPOS/kopia.config" --no-progress --log-level error';

const AGE_ZSTD = 'backup-maker, age, zstd';
const AGE = 'backup-maker, age, not compressed';
const PGP_ZSTD = 'backup-maker, OpenPGP, zstd';
const PGP = 'backup-maker, OpenPGP, not compressed';

/** Ours: what a Job runs. */
function make(name: string, collection: string, flags: string): Case {
  const run = `"$MAKER" make -i ${collection} --progress never --log-level error --cmd 'cat "$DATA"' ${flags}`;
  return { ...toServer(collection), name, role: 'ours', needs: [], run };
}

function restore(name: string, collection: string, flags: string): Case {
  const run = `"$MAKER" restore -i ${collection} --progress never --log-level error --cmd 'cat > /dev/null' ${flags}`;
  return { name, group: 'restore', role: 'ours', needs: [], run };
}

/** A pipe that ends at our server. */
function pipe(name: string, collection: string, needs: string[], against: string, filter: string): Case {
  const post = `curl -fsS -o /dev/null -T - -X POST ${HEADER} -H 'Content-Type: application/octet-stream' "$URL/api/alpha/repository/collection/${collection}/version"`;
  const run = `${filter} | ${post}`;
  return { ...toServer(collection), name, role: 'peer', against, needs: [...needs, 'curl'], run };
}

function unpipe(name: string, collection: string, needs: string[], against: string, filter: string): Case {
  const get = `curl -fsS ${HEADER} "$URL/api/alpha/repository/collection/${collection}/version/latest"`;
  const run = `${get} | ${filter} > /dev/null`;
  return { name, group: 'restore', role: 'peer', against, needs: [...needs, 'curl'], run };
}

function toServer(collection: string): Pick<Case, 'group' | 'collection' | 'stored'> {
  const sizes = `sed -n 's/.*"filesize": *\\([0-9]*\\).*/\\1/p'`;
  const stored = `curl -fsS ${HEADER} "${VERSIONS}/${collection}/version" | ${sizes} | tail -n 1`;
  return { group: 'backup', collection, stored };
}

function repository(name: string, program: string, before: string, run: string): Case {
  return {
    ...{ name, group: 'backup', role: 'peer', against: AGE_ZSTD, needs: [program], before, run },
    ...{ stored: `du -sb "$REPOS/${program}" | cut -f 1`, again: 'added to a repository' },
  };
}

const BACKUPS: readonly Case[] = [
  { ...make(AGE_ZSTD, 'age-zstd', '--key "$KEYS/age.pub"'), again: 'stored whole' },
  make(AGE, 'age-none', '--key "$KEYS/age.pub" --compress none'),
  make(PGP_ZSTD, 'pgp-zstd', '--key "$KEYS/pgp.pub"'),
  make(PGP, 'pgp-none', '--key "$KEYS/pgp.pub" --compress none'),
  {
    ...pipe(
      'zstd -1 | age | curl',
      'pipe-age-zstd',
      ['zstd', 'age'],
      AGE_ZSTD,
      'zstd -1 -q < "$DATA" | age -R "$KEYS/age.pub"',
    ),
    again: 'stored whole',
  },
  pipe('age | curl', 'pipe-age', ['age'], AGE, 'age -R "$KEYS/age.pub" < "$DATA"'),
  pipe(
    'zstd -1 | gpg -z0 | curl',
    'pipe-gpg-zstd',
    ['zstd', 'gpg'],
    PGP_ZSTD,
    `zstd -1 -q < "$DATA" | ${GPG} --encrypt -z0 -r bench@example.org`,
  ),
  pipe('gpg -z0 | curl', 'pipe-gpg', ['gpg'], PGP, `${GPG} --encrypt -z0 -r bench@example.org < "$DATA"`),
  pipe(
    "the original's gpg --encrypt --armor | curl",
    'pipe-original',
    ['gpg'],
    AGE_ZSTD,
    `${GPG} --encrypt --always-trust --armor --yes -r bench@example.org < "$DATA"`,
  ),
  repository(
    'restic backup --stdin',
    'restic',
    `rm -rf "$REPOS/restic" "$REPOS/cache"; ${RESTIC} init`,
    `${RESTIC} backup --stdin < "$DATA"`,
  ),
  ...['lz4', 'zstd,1'].map((compression) =>
    repository(
      `borg create -C ${compression}`,
      'borg',
      'rm -rf "$REPOS/borg"; borg init -e repokey-blake2 "$REPOS/borg"',
      `borg create -C ${compression} "$REPOS/borg::$ARCHIVE" - < "$DATA"`,
    ),
  ),
  repository(
    'kopia snapshot create --stdin-file',
    'kopia',
    `rm -rf "$REPOS"/kopia*; ${KOPIA} repository create filesystem --path "$REPOS/kopia" --cache-directory "$REPOS/kopia-cache"`,
    `${KOPIA} snapshot create --stdin-file data "$REPOS/virtual" < "$DATA"`,
  ),
];

const RESTORES: readonly Case[] = [
  restore(AGE_ZSTD, 'age-zstd', '--private-key "$KEYS/age"'),
  restore(PGP_ZSTD, 'pgp-zstd', '--private-key "$KEYS/pgp"'),
  unpipe(
    'curl | age -d | zstd -d',
    'pipe-age-zstd',
    ['zstd', 'age'],
    AGE_ZSTD,
    'age -d -i "$KEYS/age" | zstd -dq',
  ),
  unpipe(
    'curl | gpg -d | zstd -d',
    'pipe-gpg-zstd',
    ['zstd', 'gpg'],
    PGP_ZSTD,
    `${GPG} --decrypt | zstd -dq`,
  ),
  peerRestore('restic dump', 'restic', `${RESTIC} dump latest stdin > /dev/null`),
  peerRestore('borg extract --stdout', 'borg', 'borg extract --stdout "$REPOS/borg::second" > /dev/null'),
  {
    ...peerRestore('kopia show', 'kopia', `${KOPIA} show "$(cat "$REPOS/kopia-root")/data" > /dev/null`),
    before: `${KOPIA} snapshot list --json --max-results 1 "$REPOS/virtual" | sed -n 's/.*"obj": *"\\([^"]*\\)".*/\\1/p' | tail -n 1 > "$REPOS/kopia-root"`,
  },
];

function peerRestore(name: string, program: string, run: string): Case {
  return { name, group: 'restore', role: 'peer', against: AGE_ZSTD, needs: [program], run };
}

/** In the order of tables. Restores read what the backups of the same round have stored. */
export const CASES: readonly Case[] = [...BACKUPS, ...RESTORES];
