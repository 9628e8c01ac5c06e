/** TLS in front of the server, as an ingress has it, with an authority of its own. In a process of its own: it takes time. */
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';

/** Runs the work with the address and the file of the authority. */
export async function withTls<T>(
  target: string,
  under: string,
  work: (url: string, authority: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(under, 'tls-'));
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=proof', '-days', '2'];
  request.push('-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert);
  execFileSync('openssl', request, { stdio: 'pipe' });
  const child = fork(import.meta.filename, [new URL(target).port, key, cert]);
  try {
    const [port] = await once(child, 'message');
    return await work(`https://127.0.0.1:${port}`, cert);
  } finally {
    child.disconnect();
    await once(child, 'exit');
  }
}

if (import.meta.main) {
  const [port = '', key = '', cert = ''] = process.argv.slice(2);
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (client) => {
    const onward = connect(Number(port), '127.0.0.1');
    client.pipe(onward).pipe(client);
    client.on('error', () => onward.destroy());
    onward.on('error', () => client.destroy());
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
  process.once('disconnect', () => process.exit());
}
