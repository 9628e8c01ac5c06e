/** What a token says about itself. Nothing is verified: it only helps to explain what the server did not accept. */

/** `the token expired 3 hours ago`; undefined if it did not, or does not say. @param now milliseconds since the epoch */
export function explainExpiry(token: string, now: number): string | undefined {
  const expiry = expiryOf(token);
  return expiry === undefined || expiry > now ? undefined : `the token expired ${ago(now - expiry)} ago`;
}

/** Milliseconds since the epoch; undefined if the token is not a JSON Web Token or has no end. */
function expiryOf(token: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const exp = (claims as { exp?: unknown } | null)?.exp;
    return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}

function ago(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  const [count, unit] =
    minutes < 1
      ? [Math.max(1, Math.floor(ms / 1000)), 'second']
      : minutes < 60
        ? [minutes, 'minute']
        : minutes < 48 * 60
          ? [Math.floor(minutes / 60), 'hour']
          : [Math.floor(minutes / 1440), 'day'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
