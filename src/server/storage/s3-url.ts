/** The form in which the original, and the Go CDK under it, wrote where a bucket is. */
import { nearest } from '../../api/nearest.ts';
import { UserError } from '../../api/problem.ts';

export interface S3Address {
  bucket: string;
  /** Put before every key; empty, or ends with a slash. */
  prefix: string;
  /** Base URL of a server other than AWS's own. */
  endpoint?: string;
  region?: string;
  profile?: string;
  /** The bucket stands in the path rather than in the host's name. */
  pathStyle: boolean;
  accelerate: boolean;
  dualStack: boolean;
  fips: boolean;
}

const PARAMETERS = [
  ...[
    'endpoint',
    'region',
    'prefix',
    'profile',
    'disableSSL',
    'disable_https',
    's3ForcePathStyle',
    'use_path_style',
  ],
  // Of the Go CDK's own workings: accepted, nothing to do.
  ...['accelerate', 'dualstack', 'fips', 'awssdk', 'hostname_immutable'],
] as const;
type Parameter = (typeof PARAMETERS)[number];

/** Reads `s3://bucket?…`. Throws `UserError`, which shows no secret, for what cannot be read. */
export function parseS3Url(url: string): S3Address {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw invalid('the storage URL cannot be read: write s3://bucket?endpoint=host:port&region=eu-central-1');
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw invalid(
      'credentials do not belong into the storage URL: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    );
  }
  if (parsed.host === '' || parsed.port !== '')
    throw invalid('the storage URL names no bucket: write s3://bucket');
  const values = parametersOf(parsed);
  const path = decodeURIComponent(parsed.pathname).replace(/^\/+/, '');
  const endpoint = values.get('endpoint');
  const region = values.get('region');
  const profile = values.get('profile');
  const plain = truth(values, 'disableSSL') || truth(values, 'disable_https');
  return {
    bucket: parsed.host,
    prefix: prefixOf(values.get('prefix') ?? path),
    ...(endpoint && { endpoint: endpointUrl(endpoint, plain) }),
    ...(region && { region }),
    ...(profile && { profile }),
    pathStyle: truth(values, 's3ForcePathStyle') || truth(values, 'use_path_style'),
    accelerate: truth(values, 'accelerate'),
    dualStack: truth(values, 'dualstack'),
    fips: truth(values, 'fips'),
  };
}

function parametersOf(url: URL): Map<Parameter, string> {
  const values = new Map<Parameter, string>();
  for (const [name, value] of url.searchParams) {
    const known = PARAMETERS.find((parameter) => parameter === name);
    if (known === undefined) {
      const near = nearest(name, PARAMETERS);
      throw invalid(
        `the storage URL has an unknown parameter "${name}"${near ? `: did you mean "${near}"?` : ''}`,
      );
    }
    values.set(known, value);
  }
  return values;
}

/** As Go reads it. */
function truth(values: Map<Parameter, string>, name: Parameter): boolean {
  const value = values.get(name) ?? 'false';
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw invalid(`the parameter "${name}" of the storage URL must be true or false`);
}

function endpointUrl(endpoint: string, plain: boolean): string {
  const text = /^https?:\/\//.test(endpoint) ? endpoint : `${plain ? 'http' : 'https'}://${endpoint}`;
  if (!URL.canParse(text))
    throw invalid('the endpoint in the storage URL cannot be read: write endpoint=host:port');
  const { username, password } = new URL(text);
  if (username !== '' || password !== '') throw invalid('credentials do not belong into the storage URL');
  return text;
}

function prefixOf(text: string): string {
  const prefix = text.replace(/^\/+|\/+$/g, '');
  return prefix === '' ? '' : `${prefix}/`;
}

function invalid(message: string): UserError {
  return new UserError({ code: 'invalid-value', message });
}
