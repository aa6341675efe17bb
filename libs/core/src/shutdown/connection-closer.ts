import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Sockets carry the response they are busy with under this name; Node has kept it since its beginning. */
interface BusySocket extends Socket {
  _httpMessage?: ServerResponse | null;
}

/**
 * Ends keep-alive for a server that is about to close. Without it, a client's connection outlives its last answer
 * and holds up the close until the connection's own time-out.
 *
 * While the app runs it costs one event per connection, none per request.
 */
export class ConnectionCloser {
  private readonly sockets = new Set<BusySocket>();

  constructor(private readonly server: Server) {
    server.on('setSecureContext' in server ? 'secureConnection' : 'connection', (socket: BusySocket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  /** From here on every answer carries `Connection: close`, those to requests in flight included. */
  endKeepAlive(): void {
    this.server.prependListener('request', (_request, response: ServerResponse) => {
      response.shouldKeepAlive = false;
    });
    for (const { _httpMessage: response } of this.sockets) {
      if (response && !response.headersSent) response.shouldKeepAlive = false;
    }
  }

  /** Closes connections without a request; called again and again while the server closes, as requests end. */
  closeIdle(): void {
    this.server.closeIdleConnections();
  }

  /** Cuts every connection, and says how many were in use: by a request in flight, or by another protocol after an upgrade. */
  cutAll(): number {
    const busy = [...this.sockets].filter(socket => socket._httpMessage).length;
    this.server.closeAllConnections();
    // Node forgets a socket that was upgraded (WebSocket), and waits for its end all the same.
    const upgraded = [...this.sockets].filter(socket => !socket.destroyed);
    for (const socket of upgraded) socket.destroy();
    return busy + upgraded.length;
  }
}
