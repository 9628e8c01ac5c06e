/** The name that a server proposes for what it sends. */

/** RFC 6266. The last part only, so that it cannot lead out of a folder; undefined if there is none to use. */
export function filenameOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const [, encoded] = /;\s*filename\*=UTF-8'[^']*'([^;\s]+)/i.exec(header) ?? [];
  const [, inQuotes, bare] = /;\s*filename=(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))/i.exec(header) ?? [];
  const name = decode(encoded) ?? inQuotes?.replace(/\\(.)/g, '$1') ?? bare;
  const last = name
    ?.split(/[/\\]/)
    .at(-1)
    ?.replace(/\p{Cc}/gu, '');
  return last === undefined || /^\.*$/.test(last) ? undefined : last;
}

function decode(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
