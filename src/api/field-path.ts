/** One step into an object as the Kubernetes API writes it: `.name`, `[0]`, or `["a.b/c"]` for a key with dots. */
export function joinPath(base: string, key: string): string {
  if (/^\d+$/.test(key)) return `${base}[${key}]`;
  if (!/^[\w$-]+$/.test(key)) return `${base}[${JSON.stringify(key)}]`;
  return base === '' ? key : `${base}.${key}`;
}

/** A JSON Pointer (RFC 6901) as a field path. */
export function fromPointer(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce(joinPath, '');
}
