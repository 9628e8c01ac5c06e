/** The command completion: scripts for bash, zsh and fish, made from the commands themselves. */
import { Argument, Command } from 'commander';
import { type MakerOutside, print } from './outside.ts';

export function completionCommand(program: Command, outside: MakerOutside): Command {
  return new Command('completion')
    .description('print a completion script')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      `
Examples:
  source <(backup-maker completion bash)
  backup-maker completion fish > ~/.config/fish/completions/backup-maker.fish`,
    )
    .action((shell: string) => print(outside, scriptFor(shell, entriesOf(program))));
}

interface Entry {
  name: string;
  description: string;
  flags: { long: string; description: string }[];
  commands: Entry[];
}

function entriesOf(command: Command): Entry[] {
  return command.commands.map((child) => ({
    name: child.name(),
    description: child.description(),
    flags: [
      ...child.options
        .filter(({ hidden }) => !hidden)
        .map(({ long, description }) => ({ long: long ?? '', description })),
      HELP,
    ],
    commands: entriesOf(child),
  }));
}

const HELP = { long: '--help', description: 'show help' };

function scriptFor(shell: string, entries: readonly Entry[]): string {
  if (shell === 'fish') return fish(entries);
  // zsh understands bash's own way, once it is told to.
  return `${shell === 'zsh' ? 'autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n' : ''}${bash(entries)}`;
}

function bash(entries: readonly Entry[]): string {
  const cases = entries.flatMap((entry) => [
    ...entry.commands.map((child) => branch(`${entry.name} ${child.name}`, child)),
    branch(entry.name, entry),
  ]);
  return `_backup_maker() {
  local current=\${COMP_WORDS[COMP_CWORD]} command='' child='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ -n $command ]]; then
      case $word in -*) ;; *) child=$word; break ;; esac
    else
      case $word in ${entries.map(({ name }) => name).join('|')}) command=$word ;; esac
    fi
  done
  COMPREPLY=()
  case "$command $child" in
${cases.join('\n')}
    *) COMPREPLY=($(compgen -W '${entries.map(({ name }) => name).join(' ')}' -- "$current")) ;;
  esac
}
complete -o default -F _backup_maker backup-maker
`;
}

function branch(pattern: string, { flags, commands }: Entry): string {
  const words = [...commands.map(({ name }) => name), ...flags.map(({ long }) => long)].join(' ');
  const glob = pattern.includes(' ') ? `'${pattern}'*` : `'${pattern} '*`;
  return `    ${glob}) [[ $current != -* && -z '${commands.map(({ name }) => name).join(' ')}' ]] || COMPREPLY=($(compgen -W '${words}' -- "$current")) ;;`;
}

function fish(entries: readonly Entry[]): string {
  const lines = ['complete -c backup-maker -n __fish_use_subcommand -f'];
  const quote = (text: string) => `'${text.replace(/['\\]/g, '\\$&')}'`;
  for (const { name, description, flags, commands } of entries) {
    lines.push(`complete -c backup-maker -n __fish_use_subcommand -a ${name} -d ${quote(description)}`);
    const within = quote(`__fish_seen_subcommand_from ${name}`);
    for (const child of commands)
      lines.push(`complete -c backup-maker -n ${within} -f -a ${child.name} -d ${quote(child.description)}`);
    const all = new Map(
      [...flags, ...commands.flatMap((child) => child.flags)].map((flag) => [flag.long, flag]),
    );
    for (const { long, description: text } of all.values())
      lines.push(`complete -c backup-maker -n ${within} -l ${long.slice(2)} -d ${quote(text)}`);
  }
  return `${lines.join('\n')}\n`;
}
