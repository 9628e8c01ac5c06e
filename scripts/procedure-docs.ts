/** The part of docs/procedures.md that follows from procedures/: one table of all, then one section for each. */
import type { Parameter, Procedure } from '../src/api/procedure.ts';

/** What `procedure.yaml` says to people only; the function does not carry it. */
export interface ForPeople {
  title: string;
  /** What a failed restore leaves behind. */
  atomicity: string;
  /** What the data's own system must allow. */
  privileges?: string;
}

export type Documented = ForPeople &
  Pick<
    Procedure,
    'name' | 'description' | 'image' | 'versions' | 'defaultVersion' | 'aliases' | 'volumes' | 'scratch'
  > & { parameters: Pick<Procedure['parameters'], 'properties' | 'required'> };

export function renderProcedureDocs(procedures: readonly Documented[]): string {
  const overview = [
    row(['Procedure', 'Image', 'Versions', 'Also called', 'Scratch disk']),
    row(['---', '---', '---', '---', '---']),
    ...procedures.map((procedure) =>
      row([
        `[\`${procedure.name}\`](#${procedure.name})`,
        procedure.image ? `\`${procedure.image}\`` : "the client's own",
        versions(procedure),
        Object.keys(procedure.aliases ?? {})
          .map((alias) => `\`${alias}\``)
          .join(', '),
        scratch(procedure),
      ]),
    ),
  ];
  return [overview.join('\n'), ...procedures.map(section)].join('\n\n');
}

function section(procedure: Documented): string {
  const required = new Set(procedure.parameters.required ?? []);
  const parameters = Object.entries(procedure.parameters.properties);
  const mounts = (procedure.volumes ?? []).map(
    ({ claim, mountPath, readOnly, operation }) =>
      `The claim that \`${claim}\` names is mounted at \`${mountPath}\`` +
      `${operation ? ` in a ${operation} only` : ''}${readOnly === 'backup' ? ', read-only in a backup' : ''}.`,
  );
  return [
    `## ${procedure.name}`,
    [`${procedure.title}. ${procedure.description.trim()}`, ...mounts].join(' '),
    [
      row(['Parameter', 'Default', 'Environment', 'Meaning']),
      row(['---', '---', '---', '---']),
      ...parameters.map(([name, parameter]) =>
        row([
          `\`${name}\`${required.has(name) ? ' (required)' : ''}`,
          parameter.default === undefined ? '' : `\`${parameter.default}\``,
          `\`${parameter['x-env']}\`${parameter['x-secret'] ? ', secret' : ''}`,
          meaning(parameter),
        ]),
      ),
    ].join('\n'),
    `**After a failed restore:** ${procedure.atomicity.trim()}`,
    ...(procedure.privileges ? [`**Rights:** ${procedure.privileges.trim()}`] : []),
  ].join('\n\n');
}

function meaning(parameter: Parameter): string {
  const values = parameter.enum ? ` One of ${parameter.enum.map((value) => `\`${value}\``).join(', ')}.` : '';
  const example = parameter.examples?.[0];
  const shown = example === undefined ? '' : ` For example \`${example.replaceAll('\n', '\\n')}\`.`;
  return `${parameter.description.trim()}${values}${shown}`;
}

function versions({ versions: known = [], defaultVersion }: Documented): string {
  return known.map((version) => (version === defaultVersion ? `**${version}**` : version)).join(', ');
}

function scratch({ scratch: needed }: Documented): string {
  const operations = (['backup', 'restore'] as const).filter((operation) => needed[operation]);
  return operations.length > 0 ? operations.join(', ') : 'no';
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
