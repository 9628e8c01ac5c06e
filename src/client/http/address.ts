/** Where the server is, as the user wrote it. */
import { urlToHttpOptions } from 'node:url';
import { failure } from '../failure.ts';

export interface Address {
  /** For sentences: origin and path, without a slash at the end. Holds no credentials. */
  readonly text: string;
  readonly secure: boolean;
  /** What goes in front of every path of the API; empty, or it begins with a slash and does not end with one. */
  readonly basePath: string;
  /** Host and port as `node:http` takes them, IPv6 without brackets. */
  readonly target: { readonly hostname: string; readonly port: number | undefined };
}

/** Reads a base address, such as `https://backups.example.org/team`. @throws {UserError} `usage` */
export function parseAddress(text: string): Address {
  const url = URL.parse(text);
  // What cannot be read is not repeated either if there may be a password in it.
  if (url?.username || url?.password || (text.includes('@') && !url?.hostname)) {
    throw failure(
      'usage',
      'the URL of the server must not hold a user name or a password: URLs end up in logs',
      'give them on their own, in the environment or in files',
    );
  }
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    const bare = text.replace(/^[a-z]+:\/\//i, '');
    throw failure(
      'usage',
      `the URL of the server must begin with https:// or http://, and is "${text.slice(0, 200)}"`,
      /^[\w.-]+(:\d+)?(\/[\w./-]*)?$/.test(bare) ? `https://${bare}` : undefined,
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw failure('usage', `the URL of the server must end with its path, without "?" and "#"`);
  }
  const { hostname, port } = urlToHttpOptions(url);
  const basePath = url.pathname.replace(/\/+$/, '');
  return {
    text: `${url.origin}${basePath}`,
    secure: url.protocol === 'https:',
    basePath,
    target: {
      hostname: String(hostname).replace(/^\[|\]$/g, ''),
      port: port === undefined || port === '' ? undefined : Number(port),
    },
  };
}
