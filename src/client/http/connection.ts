/** Connections to one server: agents, trust, proxies. */

import { X509Certificate } from 'node:crypto';
import http, { type ClientRequest, type OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import { setTimeout as sleepFor } from 'node:timers/promises';
import tls from 'node:tls';
import manifest from '../../../package.json' with { type: 'json' };
import { failure } from '../failure.ts';
import type { Report } from '../report.ts';
import { type Address, parseAddress } from './address.ts';

const USER_AGENT = `backup-maker/${manifest.version}`;
/** Waits before each further try. */
const BACKOFF_MS: readonly number[] = [1000, 3000, 9000];
/** After so long without a byte the system begins to ask whether the other side is still there. */
const KEEP_ALIVE_MS = 30_000;

export interface ConnectionOptions {
  url: string;
  ca?: Buffer;
  idleTimeoutMs: number;
  signal: AbortSignal;
  report: Report;
  backoffMs?: readonly number[];
  random?: () => number;
  sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  env?: NodeJS.ProcessEnv;
}

export interface Opening {
  method: string;
  /** As `pathOf` gives it. */
  path: string;
  headers: OutgoingHttpHeaders;
  /**
   * Calls share connections that are kept. A transfer has one of its own: it must not begin on one that the server is about to
   * close, and closing it must end nothing else.
   */
  lane: 'call' | 'transfer';
}

/** A server that requests can be sent to. */
export interface Connection {
  readonly address: Address;
  readonly idleTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly report: Report;
  readonly backoffMs: readonly number[];
  /** From 0 to below 1: so that many who were told the same do not come back at once. */
  random(): number;
  /** Rejects once the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<unknown>;
  /** The name of the environment variable whose proxy may be in the way; undefined if there is none. */
  readonly proxyVariable: string | undefined;
  begin(opening: Opening): ClientRequest;
  /** Closes all connections, also those in use. */
  close(): void;
}

/** Connects to nothing yet. @throws {UserError} `usage` */
export function openConnection(options: ConnectionOptions): Connection {
  const { idleTimeoutMs, signal, report, backoffMs = BACKOFF_MS, env = process.env } = options;
  const { random = Math.random, sleep = byTheClock } = options;
  const address = parseAddress(options.url);
  const proxyVariable = findProxy(address, env);
  if (proxyVariable !== undefined && !supportsProxies()) {
    report.warn(`${proxyVariable} is set and has no effect: this release of Node.js does not use proxies`);
  }
  const { Agent, request } = address.secure ? https : http;
  const trust = {
    // Said, since the variable NODE_TLS_REJECT_UNAUTHORIZED of an application's image decides otherwise.
    rejectUnauthorized: true,
    ...(options.ca !== undefined && { ca: [...defaultAuthorities(), ...readAuthorities(options.ca)] }),
  };
  const newAgent = (keepAlive: boolean) => {
    try {
      return new Agent({ keepAlive, proxyEnv: env, ...trust });
    } catch {
      // Node's own words would repeat the address of the proxy, in which there may be a password.
      throw failure('usage', `${proxyVariable ?? 'the proxy variable'} is not the address of a proxy`);
    }
  };
  const agents = { call: newAgent(true), transfer: newAgent(false) };

  return {
    address,
    idleTimeoutMs,
    signal,
    report,
    backoffMs,
    random,
    sleep,
    proxyVariable,
    begin({ method, path, headers, lane }) {
      const outgoing = request({
        ...address.target,
        method,
        path: address.basePath + path,
        headers: { 'user-agent': USER_AGENT, ...headers },
        agent: agents[lane],
      });
      outgoing.setSocketKeepAlive(true, KEEP_ALIVE_MS);
      return outgoing;
    },
    close() {
      agents.call.destroy();
      agents.transfer.destroy();
    },
  };
}

function byTheClock(ms: number, signal: AbortSignal): Promise<void> {
  return sleepFor(ms, undefined, { signal });
}

function findProxy({ secure }: Address, env: NodeJS.ProcessEnv): string | undefined {
  const name = secure ? 'https_proxy' : 'http_proxy';
  return [name, name.toUpperCase()].find((each) => env[each]);
}

/** Agents know `proxyEnv` since 24.5, and 22.21. */
function supportsProxies(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21);
}

function defaultAuthorities(): readonly string[] {
  // Older releases do not have it, whatever the types say.
  const { getCACertificates = undefined } = tls as Partial<typeof tls>;
  return getCACertificates?.('default') ?? tls.rootCertificates;
}

/** Node.js passes over what it cannot read, and the connection would fail later with other words. */
function readAuthorities(pem: Buffer): string[] {
  const blocks = pem.toString('latin1').match(/-----BEGIN [^-]+-----[^-]*-----END [^-]+-----/g) ?? [];
  const certificates = blocks.filter((block) => /^-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/.test(block));
  try {
    for (const block of certificates) new X509Certificate(block);
    if (certificates.length > 0) return certificates;
  } catch {}
  throw failure(
    'usage',
    'the file of certificate authorities holds no certificate in PEM, or a broken one',
    'it must have lines "-----BEGIN CERTIFICATE-----"; from DER: openssl x509 -inform der -in ca.der -out ca.pem',
  );
}
