import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** What happens to the bytes. */
type Mode = 'pass' | 'hang';

/**
 * A TCP proxy in this process, to show a client a network that misbehaves. What is said to it holds for connections that are
 * there and for those to come, until the next word.
 */
export class TcpProxy implements AsyncDisposable {
  #mode: Mode = 'pass';
  #delayMs = 0;
  #port = 0;
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #halted = new Set<() => void>();

  /** @param target The server's address, e.g. `postgres://u:p@127.0.0.1:5432/db`, asked for when it is needed. */
  constructor(private readonly target: () => string) {}

  /** The target's address, by way of the proxy. */
  get url(): string {
    const url = new URL(this.target());
    url.hostname = '127.0.0.1';
    url.port = String(this.#port);
    return url.href;
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.#sockets.size / 2;
  }

  /** Resets all connections and refuses new ones: the server is gone. */
  async cut(): Promise<void> {
    this.dropConnections();
    const server = this.#server;
    this.#server = undefined;
    if (server) await new Promise(done => server.close(done));
  }

  /** Resets the connections that are there; new ones are served. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
    this.#release();
  }

  /** A black hole: connections stay open and new ones are accepted, but nothing comes through in either direction. */
  hang(): void {
    this.#mode = 'hang';
  }

  /** Everything arrives, in each direction `delayMs` milliseconds late. */
  async delay(delayMs: number): Promise<void> {
    await this.resume();
    this.#delayMs = delayMs;
  }

  /** An undisturbed network again; what was held back while it hung arrives now. */
  async resume(): Promise<void> {
    this.#mode = 'pass';
    this.#delayMs = 0;
    this.#release();
    await this.start();
  }

  /** Begins to listen on a free port of 127.0.0.1, or again on the one that it had. */
  async start(): Promise<void> {
    if (!this.#server) await this.#listen();
  }

  async close(): Promise<void> {
    await this.cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #listen(): Promise<void> {
    const server = createServer(client => this.#join(client));
    // The same port each time: for the clients it is the same server that comes back.
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  #release(): void {
    for (const go of this.#halted) go();
    this.#halted.clear();
  }

  #join(client: Socket): void {
    const { hostname, port } = new URL(this.target());
    const upstream = createConnection({ host: hostname, port: Number(port) });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      void this.#carry(from, to);
      from.on('error', () => to.resetAndDestroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }

  async #carry(from: Duplex, to: Duplex): Promise<void> {
    try {
      for await (const chunk of from) {
        if (this.#delayMs > 0) await new Promise(done => setTimeout(done, this.#delayMs));
        if (this.#mode === 'hang') await new Promise<void>(go => this.#halted.add(go));
        if (!to.write(chunk)) await once(to, 'drain');
      }
      to.end();
    } catch {
      // Either end has gone: the other is destroyed by the handlers of `close` and `error`.
      from.destroy();
    }
  }
}

/**
 * A {@link TcpProxy} for the specs of a file or of a `describe`: undisturbed again after each of them, gone at the end.
 *
 * @param target The server's address, asked for when the specs begin: `() => pg.url`.
 */
export function useTcpProxy(target: () => string): TcpProxy {
  const proxy = new TcpProxy(target);
  beforeAll(() => proxy.start());
  afterEach(() => proxy.resume());
  afterAll(() => proxy.close());
  return proxy;
}
