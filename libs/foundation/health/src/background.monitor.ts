import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AppState } from '@core-infra/kernel';
import { CheckRegistry } from './check.registry.js';
import { HealthConfig } from './health.config.js';
import { HealthService } from './health.service.js';

/** While it is turned off by `intervalMs: 0`, the setting is looked at this often, in milliseconds, as it may change live. */
const idleMs = 10_000;

/** Runs all checks now and then, so that changes are noticed, logged and remembered when nobody asks. */
@Injectable()
export class BackgroundMonitor implements OnApplicationBootstrap {
  private readonly logger = new Logger('Health');
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly config: HealthConfig,
    private readonly health: HealthService,
    private readonly registry: CheckRegistry,
    private readonly state: AppState,
    private readonly host: HttpAdapterHost,
  ) {}

  /** Begins once the app listens; an app without HTTP never does, and begins after one interval. */
  onApplicationBootstrap(): void {
    const { shuttingDown } = this.state;
    if (shuttingDown.aborted) return;
    const listening = this.host.httpAdapter
      ? this.host.listen$.subscribe(() => void this.tick())
      : this.schedule(this.pauseMs());
    shuttingDown.addEventListener('abort', () => {
      listening?.unsubscribe();
      clearTimeout(this.timer);
    });
  }

  private async tick(): Promise<void> {
    try {
      if (this.config.intervalMs > 0) await this.health.check();
    } catch (error) {
      this.logger.error(`The background monitor failed and goes on: ${String(error)}`);
    }
    if (!this.state.shuttingDown.aborted) this.schedule(this.pauseMs());
  }

  private schedule(afterMs: number): undefined {
    this.timer = setTimeout(() => void this.tick(), afterMs).unref();
  }

  /** With up to 10 % of jitter, so that instances do not ask in step; sooner when a result waits to be confirmed. */
  private pauseMs(): number {
    const { intervalMs, cacheMs } = this.config;
    if (intervalMs === 0) return idleMs;
    const soon = this.registry.all().some(({ undecided }) => undecided);
    return (soon ? Math.min(intervalMs, Math.max(cacheMs, 100)) : intervalMs) * (1 + Math.random() / 10);
  }
}
