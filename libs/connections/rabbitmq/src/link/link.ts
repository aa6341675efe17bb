import type { DriverSite } from '@core-infra/kernel';
import { type Channel, type ChannelModel, connect, type ConfirmChannel } from 'amqplib';
import type { RabbitmqConfig } from '../config/rabbitmq.config.js';
import { backoff } from '../config/retry.config.js';
import { tlsOptions } from '../config/tls.js';
import { RabbitmqTimeoutError, RabbitmqUnavailableError } from '../errors.js';
import { within } from './deadline.js';
import { diagnoseConnecting, diagnoseReply } from './diagnose.js';

const BLOCKED_CLOSE_MS = 200;

/** What has to be done with each new connection, in the order in which they joined. */
export interface LinkUser {
  /** Before the connection counts as there. What it throws ends the connection, and another one is tried. */
  up?(model: ChannelModel): Promise<void>;
  down?(reason: string): void;
}

/** Keeps one connection to the broker: opens it, notices its end, opens the next one. */
export class Link {
  private model?: ChannelModel;
  private state: 'new' | 'up' | 'away' | 'closed' = 'new';
  private why = 'it has not been reached yet';
  private awaySince?: number;
  private timer?: NodeJS.Timeout;
  private attempt?: Promise<void>;
  private readonly users: LinkUser[] = [];
  private readonly listeners = new Set<(isUp: boolean) => void>();
  private readonly pause: (attempt: number) => number;
  /** Why the broker takes no messages at present: an alarm of memory or disk. */
  blocked?: string;

  constructor(
    readonly config: RabbitmqConfig,
    readonly at: DriverSite,
  ) {
    this.pause = backoff(config.retry);
  }

  get isUp(): boolean {
    return this.state === 'up';
  }

  get isClosed(): boolean {
    return this.state === 'closed';
  }

  get reason(): string {
    return this.why;
  }

  /** The connection. @throws RabbitmqUnavailableError while there is none */
  get current(): ChannelModel {
    if (this.state === 'up' && this.model) return this.model;
    throw this.unavailable();
  }

  unavailable(cause?: unknown): RabbitmqUnavailableError {
    return new RabbitmqUnavailableError(this.at.id, this.why, { cause });
  }

  join(user: LinkUser): () => void {
    this.users.push(user);
    return () => {
      const at = this.users.indexOf(user);
      if (at >= 0) this.users.splice(at, 1);
    };
  }

  onChange(listener: (isUp: boolean) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Resolves when the connection is there; one attempt, unless there is one under way. */
  async open(): Promise<void> {
    if (this.state === 'up') return;
    if (this.state === 'closed') throw this.unavailable();
    await (this.attempt ??= this.tryOnce().finally(() => (this.attempt = undefined)));
  }

  /** Resolves when the connection is there, within the time; rejects with the reason why not. */
  async whenUp(timeoutMs: number, signal?: AbortSignal): Promise<ChannelModel> {
    if (this.state === 'up' && this.model) return this.model;
    let leave = (): void => undefined;
    const up = new Promise<void>((resolve, reject) => {
      leave = this.onChange(isUp => (isUp ? resolve() : this.isClosed ? reject(this.unavailable()) : undefined));
      if (this.isClosed) reject(this.unavailable());
    });
    try {
      await within(timeoutMs, up, () => this.unavailable(), signal);
    } finally {
      leave();
    }
    return this.current;
  }

  /** Runs `use` with a channel of its own, closed afterwards; errors say what the broker said. */
  async withChannel<T>(what: string, use: (channel: Channel) => Promise<T>, model?: ChannelModel): Promise<T> {
    return this.onChannel(what, async on => await on.createChannel(), use, model);
  }

  async withConfirmChannel<T>(what: string, use: (channel: ConfirmChannel) => Promise<T>): Promise<T> {
    return this.onChannel(what, async on => on.createConfirmChannel(), use);
  }

  private async onChannel<C extends Channel, T>(
    what: string,
    open: (model: ChannelModel) => Promise<C>,
    use: (channel: C) => Promise<T>,
    model: ChannelModel = this.current,
  ): Promise<T> {
    const { commandTimeoutMs } = this.config;
    let channel: C | undefined;
    let over = false;
    const work = (async () => {
      channel = await open(model);
      channel.on('error', () => undefined); // told by the command that was under way
      if (over) void channel.close().catch(() => undefined);
      return use(channel);
    })();
    try {
      const late = (): Error => new RabbitmqTimeoutError(this.at.id, what, commandTimeoutMs, this.blockedBy());
      return await within(commandTimeoutMs, work, late);
    } catch (error) {
      throw this.explain(error, what);
    } finally {
      over = true;
      // Already closed where the broker refused something.
      void channel?.close().catch(() => undefined);
    }
  }

  /** What the broker or the client said, as callers may see it. */
  explain(error: unknown, what: string): unknown {
    if (!this.isUp && !(error instanceof RabbitmqUnavailableError) && isLoss(error)) return this.unavailable(error);
    return diagnoseReply(error, this.config, what);
  }

  blockedBy(): string {
    return this.blocked === undefined ? '' : `the broker takes no messages (${this.blocked})`;
  }

  /** Gives the connection up, as if it had been lost: another one is opened. */
  giveUp(reason: string): void {
    const { model } = this;
    this.lost(model, reason);
    cut(model);
  }

  async close(signal: AbortSignal): Promise<void> {
    const { model } = this;
    this.state = 'closed';
    this.why = 'it is closed';
    clearTimeout(this.timer);
    this.model = undefined;
    for (const user of this.users.slice()) user.down?.(this.why);
    this.tell();
    await this.attempt?.catch(() => undefined);
    if (!model) return;
    // A broker that takes no messages does not read that this is over, either.
    const patienceMs = this.blocked === undefined ? this.config.shutdownTimeoutMs / 2 : BLOCKED_CLOSE_MS;
    const giveUp = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
    await Promise.race([
      model.close().catch(() => undefined), // it was closed already
      new Promise<void>(resolve => giveUp.addEventListener('abort', () => resolve(), { once: true })),
    ]);
    cut(model);
  }

  private async tryOnce(): Promise<void> {
    let model: ChannelModel | undefined;
    try {
      model = await this.dial();
      const opened = model;
      let ended = false;
      let failure: Error | undefined;
      const end = (): void => {
        if (ended) return;
        ended = true;
        this.lost(opened, failure ? reasonText(failure) : 'the connection was closed');
      };
      opened.on('error', (error: Error) => (failure = error));
      opened.on('close', (error?: Error) => {
        failure ??= error;
        end();
      });
      opened.on('blocked', (reason: string) => this.setBlocked(reason));
      opened.on('unblocked', () => this.setBlocked(undefined));
      this.blocked = undefined;
      const { connectTimeoutMs } = this.config;
      for (const user of this.users.slice())
        await within(connectTimeoutMs, user.up?.(opened) ?? Promise.resolve(), () =>
          this.late('be set up', connectTimeoutMs),
        );
      if (ended || this.isClosed) throw this.unavailable(failure);
      this.up(opened);
    } catch (error) {
      cut(model);
      const found = diagnoseConnecting(error, this.config) as Error;
      if (this.state !== 'closed') this.why = reasonText(found);
      throw found;
    }
  }

  private async dial(): Promise<ChannelModel> {
    const { host, port, user, password, vhost, heartbeatMs, tls, connectTimeoutMs, clientName } = this.config;
    const dialled = connect(
      {
        protocol: tls.enabled ? 'amqps' : 'amqp',
        hostname: host,
        port,
        username: user,
        password,
        vhost: encodeURIComponent(vhost),
        heartbeat: heartbeatMs / 1_000,
      },
      {
        noDelay: true,
        keepAlive: true,
        keepAliveDelay: 10_000,
        timeout: connectTimeoutMs,
        clientProperties: { connection_name: clientName ?? this.at.app.name },
        ...(tls.enabled && tlsOptions(tls)),
      },
    );
    const late = (): Error => this.late('answer', connectTimeoutMs);
    // A little earlier than the kernel gives up, who would not know why.
    return within(Math.ceil(connectTimeoutMs * 0.9), dialled, late).catch((error: unknown) => {
      dialled.then(cut, () => undefined);
      throw error;
    });
  }

  private late(what: string, ms: number): Error {
    return new RabbitmqTimeoutError(`RabbitMQ at ${this.config.host}:${this.config.port}`, what, ms);
  }

  private up(model: ChannelModel): void {
    const wasAwayMs = this.awaySince === undefined ? undefined : Math.round(this.at.clock.monotonic() - this.awaySince);
    this.model = model;
    this.state = 'up';
    this.awaySince = undefined;
    if (wasAwayMs !== undefined)
      this.at.logger.log({
        msg: `${this.at.id} is back after ${wasAwayMs} ms`,
        connection: this.at.id,
        awayMs: wasAwayMs,
      });
    this.tell();
  }

  private lost(model: ChannelModel | undefined, reason: string): void {
    if (this.state !== 'up' || model !== this.model) return;
    this.state = 'away';
    this.model = undefined;
    this.blocked = undefined;
    this.why = reason;
    this.awaySince = this.at.clock.monotonic();
    this.at.logger.warn({ msg: `${this.at.id} is away: ${reason}`, connection: this.at.id, reason });
    for (const user of this.users.slice()) user.down?.(reason);
    this.tell();
    this.again(1);
  }

  private again(attempt: number): void {
    this.timer = setTimeout(() => {
      this.open().catch((error: unknown) => {
        this.at.logger.debug({ msg: `${this.at.id} is still away`, connection: this.at.id, reason: reasonText(error) });
        if (this.state === 'away') this.again(attempt + 1);
      });
    }, this.pause(attempt)).unref();
  }

  private setBlocked(reason: string | undefined): void {
    this.blocked = reason;
    if (reason === undefined) this.at.logger.log({ msg: `${this.at.id} takes messages again`, connection: this.at.id });
    else this.at.logger.warn({ msg: `${this.at.id} takes no messages: ${reason}`, connection: this.at.id, reason });
  }

  private tell(): void {
    for (const listener of this.listeners) listener(this.isUp);
  }
}

function reasonText(error: unknown): string {
  return ((error as Error).message || String(error)).replace(/\.$/, '');
}

/** Words of amqplib for what was under way when the connection went. */
function isLoss(error: unknown): boolean {
  return /^(Channel (closed|closing|ended)|channel closed|Connection clos)/i.test((error as Error).message);
}

/** Ends a connection without waiting for the other side, who may be gone. */
function cut(model: ChannelModel | undefined): void {
  if (!model) return;
  model.on('error', () => undefined);
  (model.connection as unknown as { stream: { destroy(): void } }).stream.destroy();
}
