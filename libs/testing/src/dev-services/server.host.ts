import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceStartError } from '../errors.js';
import { freePort } from './free-port.js';
import { Guard } from './guard.client.js';
import type { LaunchPlan, ServiceDefinition } from './service.definition.js';

/** How long a server may take to serve, in milliseconds; generous, as an image may have to be pulled first. */
const READY_WITHIN_MS = 120_000;
const READY_POLL_MS = 20;
/** How often a start is tried when the port was taken in between or the killed predecessor still holds something. */
const START_ATTEMPTS = 20;
const STOP_WITHIN_MS = 15_000;

/** Starts, stops and kills one server through its guard; the port stays the same over its life. */
export class ServerHost {
  #port: number | undefined;

  constructor(
    private readonly definition: ServiceDefinition,
    private readonly plan: LaunchPlan,
    private readonly folder: string,
    private readonly secret: string,
    private readonly guard: Guard,
    port?: number,
  ) {
    this.#port = port;
  }

  get port(): number | undefined {
    return this.#port;
  }

  get url(): string {
    return this.definition.url({ port: this.#port ?? 0, secret: this.secret });
  }

  /** Does what the plan asks for before the first start. */
  async prepare(): Promise<void> {
    await this.plan.prepare?.(async command => {
      const { code, signal } = await this.guard.run(command);
      if (code === 0) return;
      throw new ServiceStartError(this.definition.name, `${command.command} ended with ${code ?? signal}`, this.log());
    });
  }

  /**
   * Resolves when the server serves: on the port that it had before, or on `preferredPort` if that is free, or on any.
   * @throws {@link ServiceStartError} with the end of its log.
   */
  async start(preferredPort?: number): Promise<void> {
    const wanted = this.#port;
    for (let attempt = 1; ; attempt++) {
      const logged = this.log(0).length;
      // A server that had a port before comes back on it, or its clients would not find it; it is free again in a moment.
      this.#port = wanted ?? (attempt === 1 ? preferredPort : undefined) ?? (await freePort());
      await this.guard.start(this.plan.start(this.#port));
      const failure = await this.#untilReady();
      if (!failure) return;
      const log = this.log(0).slice(logged);
      if (attempt < START_ATTEMPTS && this.plan.isTransient(log)) {
        if (wanted !== undefined) await sleep(100);
        continue;
      }
      await this.guard.stop('SIGKILL', STOP_WITHIN_MS);
      throw new ServiceStartError(this.definition.name, failure.message, tail(log), { cause: failure.cause });
    }
  }

  async stop(): Promise<void> {
    await this.guard.stop(this.plan.stopSignal, STOP_WITHIN_MS);
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    await this.guard.kill(signal);
  }

  async pid(): Promise<number | undefined> {
    return this.guard.pid();
  }

  release(): void {
    this.guard.release();
  }

  async leave(): Promise<void> {
    await this.guard.leave();
  }

  async end(): Promise<void> {
    await this.guard.end();
  }

  /** The last `lines` of what the server has written; all of it when `lines` is 0. */
  log(lines = 20): string {
    try {
      const all = readFileSync(join(this.folder, 'server.log'), 'utf8');
      return lines === 0 ? all : tail(all, lines);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
  }

  async #untilReady(): Promise<Error | undefined> {
    const deadline = Date.now() + READY_WITHIN_MS;
    for (;;) {
      try {
        await this.definition.ready(this.url);
        // Somebody else's server on the same port would answer too; ours has to be there as well.
        if ((await this.guard.pid()) !== undefined) return undefined;
      } catch (error) {
        if (Date.now() > deadline) return new Error(`it did not serve within ${READY_WITHIN_MS} ms`, { cause: error });
      }
      if ((await this.guard.pid()) === undefined) return new Error('it ended');
      await sleep(READY_POLL_MS);
    }
  }
}

function tail(text: string, lines = 20): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}
