/**
 * The plan of one operation as a shell script for a machine that has `backup-maker` and the tools of the data: the pod's variables
 * are set, secret ones are expected, and the pod's command is run.
 */
import type { EnvVar } from 'kubernetes-types/core/v1.d.ts';
import type { Problem } from '../api/problem.ts';
import type { Operation, Procedure } from '../api/procedure.ts';
import type { Equivalent } from './definition-equivalent.ts';
import { variableWord } from './definition-shell.ts';
import type { DefinitionTarget } from './definition-target.ts';
import { KEY_ENTRY } from './definition-values.ts';
import { CLIENT, CLIENT_FOLDER, SCRIPT_FOLDER, SECRET_FOLDER } from './paths.ts';
import type { OperationPlan, Plan } from './plan.ts';

export interface RenderedScript {
  script: string;
  /** Credentials and other values of the definition, by variable name, for the file that only its owner may read. */
  secrets: ReadonlyMap<string, string>;
  problems: Problem[];
}

/** Where the key is in pods, and thus in rendered templates. */
const KEY_PATH = `${SECRET_FOLDER}/${KEY_ENTRY}`;
const SHELLS = ['sh', 'bash', 'dash', 'ash', 'ksh', 'mksh', 'zsh'];

export function renderDefinitionScript(
  plan: Plan,
  target: DefinitionTarget,
  { variables }: Equivalent,
  procedure: Procedure | undefined,
): RenderedScript {
  const { operation } = target;
  const planned = plan.operations[operation];
  const secrets = new Map([...planned.literals].sort(([a], [b]) => (a < b ? -1 : 1)));
  const settings = new Settings(planned, variables);
  const text = planned.files[`${operation}.sh`] ?? '';
  const setUp = setUpLines(target, settings, procedure);
  if (procedure)
    return {
      script: builtInScript(target, procedure, planned, settings, setUp, text),
      secrets,
      problems: [],
    };

  const interpreter = planned.args.slice(0, -1);
  const problems = checkInterpreter(interpreter, target);
  const body = withoutFirstLine(text).replaceAll(KEY_PATH, `./${KEY_ENTRY}`);
  const script = [`#!${interpreter.join(' ')}`, ...headLines(target, settings), '', ...setUp, '', body].join(
    '\n',
  );
  return { script: endingInLineFeed(script), secrets, problems };
}

/** The pod's variables, sorted by how a script gets them. */
class Settings {
  /** Variables that must come from outside. */
  readonly expected: string[] = [];
  readonly exports: string[] = [];
  readonly names: ReadonlySet<string>;

  constructor(planned: OperationPlan, variables: ReadonlyMap<string, string>) {
    const environment = planned.environment.list();
    this.names = new Set(environment.map(({ name }) => name));
    for (const variable of environment) this.#add(variable, planned, variables);
  }

  #add(variable: EnvVar, { literals }: OperationPlan, variables: ReadonlyMap<string, string>): void {
    const { name, value, valueFrom } = variable;
    const entry = valueFrom?.secretKeyRef;
    if (entry === undefined) {
      const word = value === KEY_PATH ? `"$PWD/${KEY_ENTRY}"` : variableWord(value ?? '');
      this.exports.push(`export ${name}=${word}`);
      return;
    }
    const outside = literals.has(name) ? name : variables.get(entry.key ?? '');
    if (outside === undefined) {
      // The passphrase, which a key may not need, or half an access key, which stands among the literals.
      if (entry.optional) this.exports.push(`export ${name}="\${${name}-}"`);
      else this.expected.push(name);
      return;
    }
    if (!this.expected.includes(outside)) this.expected.push(outside);
    if (name === 'BM_AUTH_TOKEN') this.exports.push(`export ${name}="\${${outside}-}"`);
    else if (outside !== name) this.exports.push(`export ${name}="\${${outside}}"`);
  }
}

function headLines({ operation, template, key }: DefinitionTarget, { expected }: Settings): string[] {
  const what = template.own ? `the template ${template.name}` : `the procedure ${template.name}`;
  return [
    `# Made by "backup-maker generate ${operation}" from ${what}, and written anew by it: change the definition instead.`,
    '#',
    '# It needs backup-maker on the PATH, and the tools that are called below. It works in its own folder.',
    ...(key === 'none'
      ? []
      : [`# There it reads the ${operation === 'backup' ? 'public' : 'private'} key from ${KEY_ENTRY}.`]),
    `# From ${operation}.env there, if there is such a file, or from the environment it takes:`,
    ...expected.map((name) =>
      name === 'BM_AUTH_TOKEN'
        ? `#   ${name}, or BM_ACCESS_KEY_USERNAME and BM_ACCESS_KEY_PASSWORD`
        : `#   ${name}`,
    ),
    ...(operation === 'restore' && key !== 'none' && !expected.includes('BM_PASSPHRASE')
      ? ['#   BM_PASSPHRASE, if the key has one']
      : []),
    ...(operation === 'restore'
      ? ['#   RESTORE_VERSION, the number of a version, if it is not to be the latest']
      : []),
    '# It exits as backup-maker does, and with 2 if one of these is missing.',
  ];
}

function setUpLines(
  target: DefinitionTarget,
  settings: Settings,
  procedure: Procedure | undefined,
): string[] {
  const { operation, targetVersion = 'latest' } = target;
  const file = `${operation}.env`;
  return [
    `CDPATH='' cd -- "$(dirname -- "$0")" || exit 2`,
    ...unsetLines(settings, procedure),
    `if [ -e ./${file} ]; then`,
    '  set -a',
    '  # shellcheck source=/dev/null # it may not be there',
    `  . ./${file}`,
    '  set +a',
    'fi',
    ...requirements(settings.expected, operation),
    `export BM_OPERATION=${operation}`,
    ...settings.exports,
    ...(operation === 'restore'
      ? [
          `export BM_VERSION="\${RESTORE_VERSION:-\${BM_VERSION:-${targetVersion}}}"`,
          'export RESTORE_VERSION="$BM_VERSION"',
        ]
      : []),
  ];
}

function requirements(expected: readonly string[], operation: Operation): string[] {
  if (expected.length === 0) return [];
  return [
    'backup_maker_missing() {',
    `  printf '%s\\n' "${operation}.sh: $1 is not set: write it into ${operation}.env beside this script, or set it in the environment" >&2`,
    '  exit 2',
    '}',
    ...expected.map((name) => `[ -n "${givenBy(name)}" ] || backup_maker_missing ${name}`),
  ];
}

/** An expansion that is not empty if the variable, or another one that the client takes in its place, is set. */
function givenBy(name: string): string {
  if (name === 'BM_AUTH_TOKEN') return '${BM_AUTH_TOKEN-}${BM_AUTH_TOKEN_FILE-}${BM_ACCESS_KEY_USERNAME-}';
  const file = name === 'BM_PASSPHRASE' ? '${BM_PASSPHRASE_FILE+set}' : '';
  return `\${${name}+set}${file}`;
}

/** In a pod, a parameter that is not given has no variable. A database that is named by chance would be the wrong one. */
function unsetLines({ names }: Settings, procedure: Procedure | undefined): string[] {
  const known = Object.values(procedure?.parameters.properties ?? {});
  const absent = known.filter((parameter) => !parameter['x-secret'] && !names.has(parameter['x-env']));
  return absent.length === 0 ? [] : [`unset ${absent.map((parameter) => parameter['x-env']).join(' ')}`];
}

/**
 * One file with two parts: started by people it calls the client, which starts it again for the data. So the procedure stays the
 * constant that it is, and no file has to be kept beside it or made for the time of the run.
 */
function builtInScript(
  target: DefinitionTarget,
  procedure: Procedure,
  planned: OperationPlan,
  settings: Settings,
  setUp: readonly string[],
  text: string,
): string {
  const shell = onMachine(procedure.shell ?? '/bin/sh');
  const [command, flag, data = ''] = planned.args;
  const called = onMachine(data).replace(
    `${SCRIPT_FOLDER}/${target.operation}.sh`,
    '"$BACKUP_SCRIPT" --data',
  );
  const directives = text.slice(0, text.search(/^[^#\n]/m)).match(/^# shellcheck disable=.*$/gm) ?? [];
  const start = [
    ...setUp,
    `export BACKUP_SCRIPT="$PWD/\${0##*/}"`,
    "# shellcheck disable=SC2016 # it is expanded by backup-maker's shell",
    `exec ${planned.command.join(' ').replace(CLIENT, 'backup-maker')} ${command} ${flag} 'exec ${called}'`,
  ];
  return endingInLineFeed(
    [
      `#!${shell}`,
      ...headLines(target, settings),
      ...directives,
      '',
      'if [ "${1-}" != --data ]; then',
      ...start.map((line) => `  ${line}`),
      'fi',
      '',
      `# What backup-maker runs: the procedure ${procedure.name}.`,
      withoutFirstLine(text),
    ].join('\n'),
  );
}

/** The shell that comes with the client's image is the machine's own here. */
function onMachine(text: string): string {
  return text.replace(`${CLIENT_FOLDER}/bin/sh`, '/bin/sh');
}

/** Variables can only be set in front of a script in the language of shells. */
function checkInterpreter(interpreter: readonly string[], { template }: DefinitionTarget): Problem[] {
  const [program = '', argument = ''] = interpreter;
  const name = (program.endsWith('/env') ? argument : program).split('/').at(-1) ?? '';
  if (SHELLS.includes(name)) return [];
  const message = `is run by ${interpreter.join(' ')}, and a script can only be made of a shell's: write #!/bin/bash or #!/bin/sh, or use --kubernetes`;
  return [{ code: 'unsupported', path: template.own?.file ?? '--template', message }];
}

function withoutFirstLine(text: string): string {
  return text.replace(/^#!.*\n?/, '');
}

function endingInLineFeed(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
