import type { DriverSite } from '@core-infra/kernel';
import { jetstream, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream';
import { connect, errors, type NatsConnection, type Status } from '@nats-io/transport-node';
import { backoff } from '../config/retry.config.js';
import type { NatsConfig } from '../config/nats.config.js';
import { tlsOptions } from '../config/tls.js';
import { NatsTimeoutError, NatsTlsError, NatsUnavailableError } from '../errors.js';
import { within } from './deadline.js';
import { addressOf, diagnoseConnecting, diagnoseReply } from './diagnose.js';
import { loginOptions } from './login.js';

/** Keeps one connection: the client library connects again by itself, and this knows when it is there and when it is not. */
export class Link {
  private nc?: NatsConnection;
  private js?: JetStreamClient;
  private jsm?: JetStreamManager;
  private state: 'new' | 'up' | 'away' | 'closed' = 'new';
  private why = 'it has not been reached yet';
  private awaySince?: number;
  private attempt?: Promise<void>;
  private attempts = 0;
  private timer?: NodeJS.Timeout;
  private readonly listeners = new Set<(isUp: boolean) => void>();
  private readonly refusals = new Set<(subject: string, error: Error) => void>();

  constructor(
    readonly config: NatsConfig,
    readonly at: DriverSite,
  ) {}

  get isUp(): boolean {
    return this.state === 'up';
  }

  get isClosed(): boolean {
    return this.state === 'closed';
  }

  get reason(): string {
    return this.why;
  }

  /** The connection, which is the same over reconnections. @throws NatsUnavailableError before the first */
  get current(): NatsConnection {
    if (this.nc) return this.nc;
    throw this.unavailable();
  }

  get jetstream(): JetStreamClient {
    const { jetstreamDomain, commandTimeoutMs } = this.config;
    this.js ??= jetstream(this.current, {
      timeout: commandTimeoutMs,
      ...(jetstreamDomain !== undefined && { domain: jetstreamDomain }),
    });
    return this.js;
  }

  async manager(): Promise<JetStreamManager> {
    this.assertUp();
    return (this.jsm ??= await this.jetstream.jetstreamManager(false));
  }

  assertUp(): void {
    if (!this.isUp) throw this.unavailable();
  }

  unavailable(cause?: unknown): NatsUnavailableError {
    return new NatsUnavailableError(this.at.id, this.why, { cause });
  }

  onChange(listener: (isUp: boolean) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Calls back when the server has not let this connection publish to a subject. */
  onRefused(listener: (subject: string, error: Error) => void): void {
    this.refusals.add(listener);
  }

  /** Resolves when the connection is there; one attempt, unless there is one under way. */
  async open(): Promise<void> {
    if (this.state === 'up') return;
    if (this.state === 'closed') throw this.unavailable();
    // The library is at it already.
    if (this.nc) return this.whenUp(this.config.connectTimeoutMs);
    await (this.attempt ??= this.tryOnce().finally(() => (this.attempt = undefined)));
  }

  /** Resolves when the connection is there, within the time. */
  async whenUp(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (this.isUp) return;
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
  }

  /** Asks the server within commandTimeoutMs; errors say what it said. */
  async ask<T>(
    what: string,
    work: () => Promise<T>,
    explain = diagnoseReply as (error: unknown, what: string) => unknown,
  ): Promise<T> {
    this.assertUp();
    const { commandTimeoutMs } = this.config;
    try {
      return await within(commandTimeoutMs, work(), () => new NatsTimeoutError(this.at.id, what, commandTimeoutMs));
    } catch (error) {
      if (!this.isUp) throw this.unavailable(error);
      if (isTimeout(error)) throw new NatsTimeoutError(this.at.id, what, commandTimeoutMs, '', { cause: error });
      throw explain(error, what);
    }
  }

  async close(signal: AbortSignal): Promise<void> {
    const { nc } = this;
    this.state = 'closed';
    this.why = 'it is closed';
    clearTimeout(this.timer);
    this.tell();
    await this.attempt?.catch(() => undefined);
    if (!nc || nc.isClosed()) return;
    const giveUp = AbortSignal.any([signal, AbortSignal.timeout(this.config.shutdownTimeoutMs / 2)]);
    const over = new Promise<void>(resolve => giveUp.addEventListener('abort', () => resolve(), { once: true }));
    // Acknowledgements that have just been given are on their way.
    await Promise.race([nc.flush().catch(() => undefined), over]);
    await Promise.race([nc.close().catch(() => undefined), over]);
  }

  private async tryOnce(): Promise<void> {
    try {
      const nc = await this.dial();
      if (this.isClosed) {
        await nc.close();
        return;
      }
      this.nc = nc;
      this.js = undefined;
      this.jsm = undefined;
      this.watch(nc);
      this.up();
    } catch (error) {
      const found = diagnoseConnecting(error, this.config) as Error;
      if (!this.isClosed) this.why = reasonText(found);
      throw found;
    }
  }

  private async dial(): Promise<NatsConnection> {
    const { servers, tls, connectTimeoutMs, pingIntervalMs, maxPingsOut, inboxPrefix, echo, clientName, retry } =
      this.config;
    const pause = backoff(retry);
    const dialled = connect({
      servers,
      ...loginOptions(this.config),
      // Without any setting of ours a server that demands TLS gets it all the same.
      ...((tls.enabled || tls.ca || tls.cert || tls.handshakeFirst) && { tls: tlsOptions(tls) }),
      name: clientName ?? this.at.app.name,
      timeout: Math.ceil(connectTimeoutMs * 0.8),
      pingInterval: pingIntervalMs,
      maxPingOut: maxPingsOut,
      reconnect: true,
      maxReconnectAttempts: -1,
      // Passwords are changed, and come back.
      ignoreAuthErrorAbort: true,
      reconnectDelayHandler: () => pause((this.attempts += 1)),
      noEcho: !echo,
      inboxPrefix,
    });
    const late = (): Error => new NatsTimeoutError(`NATS at ${addressOf(this.config)}`, 'answer', connectTimeoutMs);
    // A little earlier than the kernel gives up, who would not know why.
    const nc = await within(Math.ceil(connectTimeoutMs * 0.9), dialled, late).catch((error: unknown) => {
      dialled.then(
        opened => opened.close(),
        () => undefined,
      );
      throw error;
    });
    if (tls.enabled && !nc.info?.tls_required && !nc.info?.tls_available && !tls.handshakeFirst) {
      await nc.close();
      throw new NatsTlsError(
        `NATS at ${addressOf(this.config)} speaks no TLS.`,
        'Use nats:// and leave nats.tls.enabled out, or turn TLS on at the server.',
      );
    }
    return nc;
  }

  private watch(nc: NatsConnection): void {
    void (async () => {
      for await (const status of nc.status()) this.heard(status);
    })();
    void nc.closed().then(error => {
      if (this.isClosed || this.nc !== nc) return;
      // The library has given up for good, and we do not.
      this.nc = undefined;
      this.away(error ? reasonText(error) : 'the connection was closed');
      this.again();
    });
  }

  private heard(status: Status): void {
    if (status.type === 'disconnect' || status.type === 'staleConnection')
      this.away(status.type === 'disconnect' ? 'the connection was lost' : 'it does not answer');
    else if (status.type === 'reconnect') this.up();
    else if (status.type === 'error') this.trouble(status.error);
    else if (status.type === 'ldm')
      this.at.logger.log({
        msg: `${this.at.id}: the server is about to stop, another one is taken`,
        connection: this.at.id,
      });
  }

  /** Told to who asked as well, where somebody did. */
  private trouble(error: Error): void {
    if (error instanceof errors.PermissionViolationError && error.operation === 'publish')
      for (const refused of this.refusals) refused(error.subject, error);
    const connecting = diagnoseConnecting(error, this.config) as Error;
    const found = connecting === error ? (diagnoseReply(error, 'something') as Error) : connecting;
    if (!this.isUp) this.why = reasonText(found);
    this.at.logger.warn({ msg: `${this.at.id}: ${found.message}`, connection: this.at.id });
  }

  private again(): void {
    this.timer = setTimeout(
      () => {
        this.open().catch(() => {
          if (!this.isClosed) this.again();
        });
      },
      backoff(this.config.retry)((this.attempts += 1)),
    ).unref();
  }

  private up(): void {
    if (this.state === 'up' || this.isClosed) return;
    const awayMs = this.awaySince === undefined ? undefined : Math.round(this.at.clock.monotonic() - this.awaySince);
    this.state = 'up';
    this.awaySince = undefined;
    this.attempts = 0;
    if (awayMs !== undefined)
      this.at.logger.log({ msg: `${this.at.id} is back after ${awayMs} ms`, connection: this.at.id, awayMs });
    this.tell();
  }

  private away(reason: string): void {
    if (this.state !== 'up') return;
    this.state = 'away';
    this.why = reason;
    this.awaySince = this.at.clock.monotonic();
    this.at.logger.warn({ msg: `${this.at.id} is away: ${reason}`, connection: this.at.id, reason });
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener(this.isUp);
  }
}

function reasonText(error: unknown): string {
  return ((error as Error).message || String(error)).replace(/\.$/, '');
}

/** Of the client library, whose class of it is not the only one to be met. */
export function isTimeout(error: unknown): boolean {
  return (error as Error).name === 'TimeoutError';
}
