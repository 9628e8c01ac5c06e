/** Looks for pipes in a shell command, as far as a warning needs it. */

/**
 * True if the command has a `|` between two programs: outside quotes and comments, not escaped, not `||`. Command substitutions
 * inside double quotes are taken for text, and patterns of `case` for pipes: a warning may err, in both directions.
 */
export function hasPipe(command: string): boolean {
  const bare = command.replace(/\\[\s\S]|'[^']*'|"(?:\\[\s\S]|[^"\\])*"|(?<=^|\s)#.*|\|\||>\|/g, ' ');
  return bare.includes('|');
}
