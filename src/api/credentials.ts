/** Recognises credentials, so that they are neither printed nor put where everybody can read them. */

/** Names of fields whose values are credentials, by the words that such names are made of. */
const SECRET_NAME =
  /pass(word|wd|phrase|wort)?$|pwd?$|(encryption|signing|ssh|master|shared)_?key$|secret|token|credential|private_?key|api_?key|access_?key|auth$/;

const SECRET_VALUE: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY/,
  /AGE-SECRET-KEY-1/i,
  // JSON Web Tokens: a base64url object, a dot, another one. Looked for once in a word, or a long one takes for ever.
  /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\./,
  // Access keys of clouds and code hosts, by their documented prefixes.
  /\b(AKIA|ASIA)[A-Z0-9]{16}\b/,
  /\bgh[pousr]_\w{30,}/,
  /\bglpat-[\w-]{15,}/,
  /\bxox[abprs]-[\w-]{10,}/,
  // A password inside an address: scheme://user:password@host.
  /[a-z0-9+.-]:\/\/[^\s/:@]*:[^\s/@]+@/i,
];

/** True if a field of this name holds a credential, whatever its value: `password`, `apiKey`, `AUTH_TOKEN`, ... */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[-.\s]/g, '_')
    .toLowerCase();
  return SECRET_NAME.test(words);
}

/** True if the text is a value that SOPS encrypted, so neither in clear text nor of any use before it is decrypted. */
export function isSopsEncrypted(text: string): boolean {
  return /^ENC\[[A-Z0-9_]+,data:.*\]$/s.test(text);
}

/** True if the text itself is, or contains, a credential of a known form. */
export function looksLikeCredential(text: string): boolean {
  return SECRET_VALUE.some((pattern) => pattern.test(text));
}
