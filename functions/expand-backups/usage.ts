import manifest from '../../package.json' with { type: 'json' };

export const version = manifest.version;

export const help = `expand-backups ${version}: a KRM function that expands ScheduledBackup and RequestedBackupAction
into CronJobs, Jobs, ConfigMaps and Secrets.

It reads a ResourceList on standard input and writes the expanded one to standard output. Let kustomize or kpt run it:

  kustomize build --enable-alpha-plugins --enable-exec DIR
  kpt fn render DIR --allow-exec
  kpt fn eval DIR --exec expand-backups -- networkPolicy=true

Options:
  --help      this text
  --version   the version

Exit status:
  0    expanded; warnings, if any, stand on standard error
  1    the input has errors: nothing was expanded, each error stands on standard error
  2    wrong arguments, or started in a terminal without input
  70   a bug in this function; please report it with the text on standard error
  74   standard input or output does not work, for example a full disk
`;
