/** A TCP proxy in front of the server that meddles with uploads, and lets everything else through. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What becomes of a piece: other bytes, nothing more in this direction for ever, or the end of both connections. */
export type Verdict = Buffer | 'stall' | 'cut';

export interface Meddling {
  /** @param at bytes of this upload that came before, its head included. */
  up?: (piece: Buffer, at: number) => Verdict;
  /** Pieces of the server's answer to an upload. */
  down?: (piece: Buffer) => Verdict;
}

export async function withProxy<T>(
  target: string,
  { up = (piece) => piece, down = (piece) => piece }: Meddling,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const port = Number(new URL(target).port);
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    const onward = connect(port, '127.0.0.1');
    keep(client);
    keep(onward);
    let isUpload: boolean | undefined;
    let at = 0;
    let stalled = false;
    const pass = (to: Socket, from: Socket, verdict: Verdict) => {
      if (verdict === 'stall') {
        stalled = true;
        from.pause();
      } else if (verdict === 'cut') {
        client.resetAndDestroy();
        onward.destroy();
      } else if (!to.write(verdict)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    };
    client.on('data', (piece: Buffer) => {
      isUpload ??= /^POST \S*\/version /.test(piece.toString('latin1'));
      pass(onward, client, isUpload ? up(piece, at) : piece);
      at += piece.length;
    });
    onward.on('data', (piece: Buffer) => pass(client, onward, isUpload ? down(piece) : piece));
    client.once('close', () => onward.destroy());
    // Who stalls does not say either that the other side has gone.
    onward.once('close', () => stalled || client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

/** Changes one bit at this place of the upload. */
export function flipAt(place: number): NonNullable<Meddling['up']> {
  return (piece, at) => {
    if (place < at || place >= at + piece.length) return piece;
    const changed = Buffer.from(piece);
    changed[place - at] = (changed[place - at] ?? 0) ^ 4;
    return changed;
  };
}
