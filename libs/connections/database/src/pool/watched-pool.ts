import { type Client, Pool, type PoolClient, type PoolConfig } from 'pg';
import { DatabaseConnectTimeoutError, PoolExhaustedError, type PoolStats } from '../errors.js';
import { boundOf } from '../query/query-bound.js';
import { bindingClient } from '../query/channel-binding.js';
import { appFrames, type Place, placeOfCall } from './place-of-call.js';
import type { QuerySite } from '../query/query-site.js';
import { watchedClient } from '../query/watched-client.js';

type ConnectCallback = (
  error: Error | undefined,
  client: PoolClient | undefined,
  done: (release?: unknown) => void,
) => void;

/** A connection that is out of the pool. */
interface Held {
  timer?: NodeJS.Timeout;
  place?: Place;
}

const nothing = () => undefined;

/** A pool that says why nothing is free, and who holds what for too long. */
export class WatchedPool extends Pool {
  private readonly held = new Map<PoolClient, Held>();

  constructor(
    options: PoolConfig,
    private readonly site: QuerySite,
  ) {
    const Client = watchedClient(site);
    const mustBind = site.config.channelBinding === 'require';
    super({ ...options, Client: (mustBind ? bindingClient(Client, site.id) : Client) as never });
    // A client that breaks while it is out has its query rejected; without a listener the event would end the process.
    this.on('connect', client => (client as PoolClient).on('error', nothing));
    this.on('release', (_error: Error, client: PoolClient) => this.letGo(client));
    this.on('error', (error: Error) =>
      site.logger.warn(`An idle connection broke and is replaced when needed: ${error.message}`),
    );
  }

  get stats(): PoolStats {
    return {
      active: this.totalCount - this.idleCount,
      idle: this.idleCount,
      waiting: this.waitingCount,
      max: this.site.config.pool.max,
    };
  }

  /** Opens `pool.min` connections. */
  async warmUp(): Promise<void> {
    const clients = await Promise.all(Array.from({ length: this.options.min ?? 0 }, () => this.connect()));
    for (const client of clients) client.release();
  }

  /** A connection of the same kind that is not one of the pool, and not opened yet. */
  dedicated(): Client {
    const { Client: Dedicated } = this as unknown as { Client: new (options: PoolConfig) => Client };
    return new Dedicated(this.options);
  }

  /** Resolves when every connection was given back. */
  async idle(signal: AbortSignal): Promise<void> {
    while (this.held.size > 0 && !signal.aborted) {
      await new Promise<void>(resolve => {
        this.once('release', () => resolve());
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  /** Cuts connections that were not given back, so that the pool can end. */
  cut(): number {
    for (const client of this.held.keys())
      (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    return this.held.size;
  }

  override connect(): Promise<PoolClient>;
  override connect(callback: ConnectCallback): void;
  override connect(callback?: ConnectCallback): Promise<PoolClient> | void {
    if (!callback) return this.connectForCaller(placeOfCall());
    const { site } = this;
    const bound = boundOf(site.context.current, site.clock.now);
    if (bound?.over) return callback(bound.error(site.id, 'before a connection was taken'), undefined, nothing);
    let gone = false;
    const stop = bound?.onOver(() => {
      stop?.();
      gone = true;
      callback(bound.error(site.id, 'while waiting for a connection'), undefined, nothing);
    });
    super.connect((error, client, done) => {
      stop?.();
      if (gone) return done();
      if (!client) return callback(this.explain(error!), undefined, done);
      this.hold(client);
      callback(undefined, client, done);
    });
  }

  /** Whoever asks by promise keeps it; TypeORM and `query` call back. */
  private connectForCaller(place: Place): Promise<PoolClient> {
    return new Promise((resolve, reject) =>
      this.connect((error, client) => {
        if (!client) return reject(error!);
        this.remember(client, place);
        resolve(client);
      }),
    );
  }

  /** pg-pool knows these two cases by their message only. */
  private explain(error: Error): Error {
    const { id, section, config } = this.site;
    const { acquireTimeoutMs } = config.pool;
    if (error.message === 'timeout exceeded when trying to connect')
      return new PoolExhaustedError(id, this.stats, acquireTimeoutMs, section, { cause: error });
    if (error.message === 'Connection terminated due to connection timeout')
      return new DatabaseConnectTimeoutError(id, acquireTimeoutMs, section, { cause: error });
    return error;
  }

  /** Notes who keeps a connection, for the warning that it is kept for too long. */
  remember(client: PoolClient, place: Place): void {
    const held = this.held.get(client);
    if (held) held.place = place;
  }

  private hold(client: PoolClient): void {
    const { clientHeldWarningMs } = this.site.config;
    const held: Held = {};
    if (clientHeldWarningMs > 0) {
      held.timer = setTimeout(() => this.warn(held), clientHeldWarningMs);
      held.timer.unref();
    }
    this.held.set(client, held);
  }

  private warn({ place }: Held): void {
    const taken = place ? `It was taken at:\n${appFrames(place).join('\n')}` : 'A single statement is still running.';
    this.site.logger.warn({
      msg: `A connection is out of the pool for more than ${this.site.config.clientHeldWarningMs} ms. ${taken}`,
      ...this.stats,
    });
  }

  private letGo(client: PoolClient): void {
    clearTimeout(this.held.get(client)?.timer);
    this.held.delete(client);
  }
}
