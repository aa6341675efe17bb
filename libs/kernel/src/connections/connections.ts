import { isDeepStrictEqual } from 'node:util';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { AppState } from '../app-state.js';
import { assertWiring } from '../concern/wiring.js';
import { ConnectFailedError, DuplicateConnectionError, ShuttingDownError } from '../errors/errors.js';
import { InfraError } from '../errors/infra-error.js';
import { withoutCredentials } from '../errors/without-credentials.js';
import { classify, type Classification } from '../ports/classify.js';
import { bootScope } from './boot-scope.js';
import { closeWaves } from './close-order.js';
import { CommandDone, commandScope, isLeftOut } from './command-scope.js';
import { checksOf, type ConnectionCheck, type ConnectionMetrics, metricsOf } from './contributions.js';
import { connectInBackground, connectRequired, reasonOf } from './connector.js';
import type { Entry, OpenRequest } from './entry.js';
import type { Opened } from './opened.js';
import { reportStep, type StepReport } from './run-step.js';

/** A connection as others may see it: never its client's credentials. */
export interface ConnectionInfo {
  readonly id: string;
  readonly driver: string;
  readonly address?: string;
  readonly state: Entry['state'];
  readonly critical: boolean;
}

interface Registration {
  readonly request: OpenRequest<unknown>;
  readonly client: Promise<unknown>;
}

/** Opens, checks, drains and closes every connection of one application. */
@Injectable()
export class Connections implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger(Connections.name);
  private readonly entries: Entry[] = [];
  private readonly registrations = new Map<string, Registration>();
  private readonly reports: StepReport[] = [];
  private booted = false;
  /** Why the boot failed: the first failure, as the others only follow from it. */
  private failure: { readonly error: unknown } | undefined;
  private broken = false;
  private closing: Promise<unknown> = Promise.resolve();
  private background: Promise<unknown>[] = [];

  constructor(
    private readonly state: AppState,
    @Inject(ModulesContainer) modules: ModulesContainer,
  ) {
    assertWiring(modules);
    bootScope.getStore()?.add(this);
  }

  /**
   * Opens a connection, or hands out the one that is open when the same is registered again.
   * @throws DuplicateConnectionError when the id is taken with other configuration
   * @throws ConnectFailedError when a required server cannot be reached, or its client cannot be made
   */
  open<Client>(request: OpenRequest<Client>): Promise<Client> {
    // A command has no use for it: whoever does waits until the boot is ended.
    if (isLeftOut(request.id)) return new Promise(() => undefined);
    const known = this.registrations.get(request.id);
    if (known) {
      const same =
        isDeepStrictEqual({ ...known.request.config }, { ...request.config }) &&
        isDeepStrictEqual(known.request.sameAs, request.sameAs);
      if (same) return known.client as Promise<Client>;
      return this.fail(
        new DuplicateConnectionError(request.id, [
          ...(known.request.importers?.() ?? []),
          ...(request.importers?.() ?? []),
        ]),
      );
    }
    const client = this.openNew(request);
    this.registrations.set(request.id, { request, client });
    client.catch(() => undefined); // whoever asked awaits it; a second holder may not
    return client;
  }

  /** Every connection that is open or on its way, in order of opening. */
  list(): ConnectionInfo[] {
    return this.entries.map(({ id, config, opened, state }) => ({
      id,
      driver: config.driver,
      address: opened.address === undefined ? undefined : withoutCredentials(opened.address),
      state,
      critical: config.critical,
    }));
  }

  /** Ids of all connections that anybody registered. */
  ids(): string[] {
    return [...this.registrations.keys()];
  }

  /** One check for each connection that has one, several where a connection has several. */
  checks(): ConnectionCheck[] {
    return this.entries.flatMap(checksOf);
  }

  /** The numbers of each connection that has some. */
  metrics(): ConnectionMetrics[] {
    return this.entries.flatMap(metricsOf);
  }

  /** What a failed call means, by the knowledge of every driver. */
  classify(error: unknown): Classification {
    return classify(
      error,
      this.entries.flatMap(entry => entry.classify ?? []),
    );
  }

  /** How each step of the shutdown ended, so far. */
  get shutdownReport(): readonly StepReport[] {
    return this.reports;
  }

  onApplicationBootstrap(): void {
    this.booted = true;
    this.state.markRunning();
  }

  /** All together: a handler may need any connection until its own work has ended. */
  async beforeApplicationShutdown(): Promise<void> {
    this.state.beginShutdown();
    await Promise.all(this.entries.map(entry => this.shutDown(entry, 'drain')));
  }

  async onApplicationShutdown(): Promise<void> {
    this.state.beginShutdown();
    await this.closeAll();
    this.state.markClosed();
  }

  /** Closes what a boot that failed had opened, resolving when all of it is. `bootstrap` calls it; a failed connection does so by itself. */
  async abortBoot(): Promise<void> {
    this.broken = true;
    this.state.beginShutdown();
    await this.closeAll();
  }

  private async openNew<Client>(request: OpenRequest<Client>): Promise<Client> {
    if (this.failure) throw this.failure.error;
    if (this.state.shuttingDown.aborted) throw new ShuttingDownError(`Opening ${request.id}`);
    let entry: Entry | undefined;
    try {
      const opened = await this.construct(request);
      entry = this.register(request, opened);
      if (this.broken) await this.closeAll();
      else if (isNeededNow(request, opened)) await this.connectNow(entry);
      else this.connectLater(entry);
      if (await commandScope.getStore()?.opened(request.id, opened.client)) throw new CommandDone();
      return opened.client;
    } catch (error) {
      if (this.booted) await this.forget(request.id, entry);
      return this.fail(error);
    }
  }

  /** What a client throws as it is constructed does not say which connection it is of. */
  private async construct<Client>({ id, section, open }: OpenRequest<Client>): Promise<Opened<Client>> {
    try {
      return await open();
    } catch (cause) {
      if (cause instanceof InfraError) throw cause;
      const fix = `Look at the cause, and at the section "${section}" of the configuration.`;
      throw new ConnectFailedError(id, undefined, reasonOf(cause), fix, { cause });
    }
  }

  /** A lazy module failed: the app goes on, and the module may be loaded again. */
  private async forget(id: string, entry: Entry | undefined): Promise<void> {
    this.registrations.delete(id);
    if (!entry) return;
    this.entries.splice(this.entries.indexOf(entry), 1);
    await this.shutDown(entry, 'close');
  }

  private register(request: OpenRequest<unknown>, opened: Opened<unknown>): Entry {
    const { id, section, healthName, config, classify: known } = request;
    const entry: Entry = {
      id,
      section,
      healthName,
      config,
      opened,
      app: this.state,
      classify: known,
      dependsOn: request.dependsOn ?? new Set(),
      closeLast: request.closeLast ?? false,
      state: 'connecting',
    };
    this.entries.push(entry);
    return entry;
  }

  private async connectNow(entry: Entry): Promise<void> {
    await connectRequired(
      entry,
      error => classify(error, entry.classify ? [entry.classify] : []),
      this.state.shuttingDown,
    );
    entry.state = 'open';
  }

  private connectLater(entry: Entry): void {
    // A command is told by its own calls what is wrong, and has ended before anything is tried again.
    const isForCommand = commandScope.getStore() !== undefined;
    const attempts = connectInBackground(entry, this.state.shuttingDown, (error, attempt) => {
      entry.lastError = error;
      const text = `${entry.id} is not reachable yet and is tried again: ${reasonOf(error)}`;
      if (attempt === 0 && !isForCommand) this.logger.warn(text);
      else this.logger.debug(text);
    }).then(() => {
      if (this.state.shuttingDown.aborted) return;
      entry.state = 'open';
      entry.lastError = undefined;
      this.logger.log(`${entry.id} is connected`);
    });
    this.background.push(attempts);
  }

  private async fail(error: unknown): Promise<never> {
    if (this.booted) throw error;
    const { error: first } = (this.failure ??= { error });
    await this.abortBoot();
    throw first;
  }

  /** Whoever calls it meanwhile waits for the same end. */
  private async closeAll(): Promise<void> {
    this.closing = Promise.all([this.closing, this.closeOpen()]);
    await this.closing;
  }

  private async closeOpen(): Promise<void> {
    await Promise.all(this.background);
    const open = this.entries.splice(0);
    for (const wave of closeWaves(open)) await Promise.all(wave.map(entry => this.shutDown(entry, 'close')));
  }

  private async shutDown(entry: Entry, stage: 'drain' | 'close'): Promise<void> {
    const step = entry.opened[stage];
    if (!step) return;
    const budgetMs = Math.min(entry.config.shutdownTimeoutMs, this.state.remainingMs(performance.now()));
    const report = await reportStep(entry.id, stage, budgetMs, step, entry.app);
    this.reports.push(report);
    if (report.outcome !== 'done') this.logger.error(`${entry.id} did not ${stage} cleanly: ${reasonOf(report.error)}`);
  }
}

function isNeededNow({ config }: OpenRequest<unknown>, { connect }: Opened<unknown>): boolean {
  return config.startup === 'require' || !connect || commandScope.getStore()?.connected === true;
}
