/** Environment variables of a pod, written as a shell would have to set them. */

/** A text as one word of a POSIX shell, in which nothing is expanded. */
export function quoteWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * The `value` of a pod's variable as one word: where the kubelet would put another variable for `$(NAME)`, the shell does, and
 * `$$` is one dollar sign.
 */
export function variableWord(value: string): string {
  const parts = value.split(/(\$\$|\$\([A-Za-z_]\w*\))/);
  const plain = parts.map((part) => (part === '$$' ? '$' : part));
  if (!plain.some(isReference)) return quoteWord(plain.join(''));
  // Behind the dollar sign that stood for itself, a reference cannot begin: each part is looked at by itself.
  return `"${parts.map((part) => (isReference(part) ? `\${${part.slice(2, -1)}}` : escapeDouble(part === '$$' ? '$' : part))).join('')}"`;
}

function isReference(part: string): boolean {
  return /^\$\([A-Za-z_]\w*\)$/.test(part);
}

function escapeDouble(text: string): string {
  return text.replace(/["$`\\]/g, '\\$&');
}

/** An assignment of a file that shells read, with all that may stand to the right of it. */
const ASSIGNMENT = /^([A-Za-z_]\w*)=(?:'[^']*'|"(?:[^"\\]|\\[\s\S])*"|\\.|[^\s'"\\])*$/gm;

/** A file of variables. Of `before`, which it replaces, the variables that are not among these are kept. */
export function environmentFile(
  heading: string,
  variables: ReadonlyMap<string, string>,
  before = '',
): string {
  const own = [...variables].map(([name, text]) => `${name}=${quoteWord(text)}\n`);
  const others = [...before.matchAll(ASSIGNMENT)]
    .filter(([, name = '']) => !variables.has(name))
    .map(([line]) => `${line}\n`);
  const kept = others.length > 0 ? ['\n# Not from the definition, and therefore kept.\n', ...others] : [];
  return [`# ${heading}\n`, ...own, ...kept].join('');
}
