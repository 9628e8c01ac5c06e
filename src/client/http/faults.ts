/** Connections that do not come about, break, or fall silent. */
import { codeOf, NOT_CONNECTED, SILENT } from './exchange.ts';
import type { Attempt, Reason } from './reasons.ts';

/** Errors after which the same request may work some seconds later. */
const TEMPORARY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
  'ERR_STREAM_PREMATURE_CLOSE',
  NOT_CONNECTED,
]);

const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);

const NOT_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|wrong version number|packet length too long/;

/** True if trying again makes sense. */
export function isTemporaryFault(error: unknown): boolean {
  return TEMPORARY.has(codeOf(error));
}

/** Why a connection failed, from the error of Node.js or of `Exchange`. */
export function explainFault(error: unknown, { connection }: Attempt): Reason {
  const code = codeOf(error);
  const { address, proxyVariable } = connection;
  const { hostname, port } = address.target;
  const proxied = proxyVariable === undefined ? '' : ` (${proxyVariable} is set, so it may be the proxy)`;
  const unreachable = (why: string, hint?: string): Reason => ({
    code: 'unreachable',
    why: why + proxied,
    hint,
  });

  switch (code) {
    case 'ENOTFOUND':
      return unreachable(
        `there is no host "${hostname}"`,
        `check --url, and the name: getent hosts ${hostname}`,
      );
    case 'EAI_AGAIN':
      return unreachable(`the name "${hostname}" cannot be looked up at present`);
    case 'ECONNREFUSED':
      return unreachable(
        `nothing listens on port ${port ?? (address.secure ? 443 : 80)} (connection refused)`,
        'check --url, and whether the server is running',
      );
    case 'ETIMEDOUT':
    case NOT_CONNECTED:
      return unreachable('no connection came about in time', 'check --url, firewalls and network policies');
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ENETDOWN':
      return unreachable('there is no way to the host from here', 'check the network, and network policies');
    case SILENT:
      return unreachable(`the server was silent for ${seconds(connection.idleTimeoutMs)}`);
    case 'CERT_HAS_EXPIRED':
      return unreachable(
        "the server's certificate has expired",
        'renew it; and check the clock of this machine',
      );
    case 'CERT_NOT_YET_VALID':
      return unreachable("the server's certificate is not valid yet", 'check the clock of this machine');
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return unreachable(
        `the server's certificate is not for "${hostname}"`,
        'use the name that the certificate has, or one more name in the certificate',
      );
    case 'ERR_PROXY_TUNNEL':
    case 'ERR_PROXY_INVALID_CONFIG':
      return { code: 'unreachable', why: `the proxy of ${proxyVariable} does not let us through` };
  }
  if (UNTRUSTED.has(code)) {
    return unreachable(
      "the server's certificate is not signed by an authority that is known here",
      'name the authority with --ca-file ca.pem',
    );
  }
  if (address.secure && NOT_TLS.test(`${code} ${(error as Error | undefined)?.message}`)) {
    return {
      code: 'usage',
      why: 'the server does not speak TLS on this port',
      hint: `--url ${address.text.replace(/^https/, 'http')}`,
    };
  }
  if (code.startsWith('HPE_')) return explainGarbage(error, address);
  if (/^(ERR_SSL|ERR_TLS|EPROTO)/.test(code) || /^[A-Z]+_(CERT|CRL)_|CERT_/.test(code)) {
    return unreachable(`TLS failed (${code})`);
  }
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED') {
    return unreachable('the connection broke');
  }
  return unreachable(`the connection failed${code === '' ? '' : ` (${code})`}`);
}

function explainGarbage(error: unknown, address: Attempt['connection']['address']): Reason {
  const { rawPacket } = error as { rawPacket?: Buffer };
  // A TLS record of the kind "alert": the other side waits for a handshake.
  if (!address.secure && rawPacket?.[0] === 0x15) return speaksTls(address.text);
  return {
    code: 'usage',
    why: 'what listens there does not answer in HTTP',
    hint: 'check host and port of --url',
  };
}

/** The reason of plain HTTP on a port of HTTPS. */
export function speaksTls(server: string): Reason {
  return {
    code: 'usage',
    why: 'the server speaks HTTPS on this port',
    hint: `--url ${server.replace(/^http:/, 'https:')}`,
  };
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`;
}
