/** Hears what a server says before it hangs up on a client that is still sending. */
import type { Socket } from 'node:net';

/** What has arrived is read within one turn of the event loop; TLS takes some. */
const GRACE_MS = 300;

type Callback = (error?: Error | null) => void;

/**
 * Makes a socket wait a moment before it fails because of a write.
 *
 * A server that refuses in the middle answers and closes. The next write of ours then fails, Node.js destroys the socket, and an
 * answer that waits in the system's buffer is lost: the user would read "connection reset" in place of the reason. While the
 * failure waits here, reading goes on, and ends by itself if there is nothing.
 */
export function readBeforeFailing(socket: Socket): void {
  const later = (callback: Callback): Callback => {
    return (error) => {
      if (!error || socket.destroyed) callback(error);
      else setTimeout(callback, GRACE_MS, error);
    };
  };
  const write = socket._write.bind(socket);
  socket._write = (chunk, encoding, callback) => write(chunk, encoding, later(callback));
  const writev = socket._writev?.bind(socket);
  if (writev) socket._writev = (chunks, callback) => writev(chunks, later(callback));
}
