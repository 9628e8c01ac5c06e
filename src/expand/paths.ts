/** Where things stand in the generated pods. Scripts, docs and the client's image rely on these. */

/** The client's own folder: copied out of its image into a shared volume. */
export const CLIENT_FOLDER = '/opt/backup-maker';
export const CLIENT = `${CLIENT_FOLDER}/bin/backup-maker`;
/** The ConfigMap with the scripts and the public keys. */
export const SCRIPT_FOLDER = '/etc/backup-maker';
/** Key files. The original's path: scripts may name /mnt/secrets/gpg-key. */
export const SECRET_FOLDER = '/mnt/secrets';
/** The only folder that a procedure may write to. */
export const SCRATCH_FOLDER = '/tmp';
