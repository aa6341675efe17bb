const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
/** How long a signal waits for lines to be written, in milliseconds. */
const patienceMs = 1_000;

export interface LastWordsOptions {
  flush(): Promise<void>;
  flushSync(): void;
  /** Writes a line about an exception that nobody caught. */
  readonly uncaught?: (error: Error, origin: string) => void;
}

/**
 * Sees to it that lines are written before the process ends, and changes nothing about how it ends: an uncaught exception
 * stays uncaught, and a signal that nobody else listens to is raised again.
 */
export class LastWords {
  private readonly handlers = signals.map(signal => ({ signal, handle: () => void this.onSignal(signal) }));

  constructor(private readonly options: LastWordsOptions) {
    process.on('exit', this.onExit);
    if (options.uncaught) process.on('uncaughtExceptionMonitor', this.onUncaught);
    for (const { signal, handle } of this.handlers) process.on(signal, handle);
  }

  stop(): void {
    process.off('exit', this.onExit);
    process.off('uncaughtExceptionMonitor', this.onUncaught);
    for (const { signal, handle } of this.handlers) process.off(signal, handle);
  }

  private readonly onExit = (): void => this.options.flushSync();

  private readonly onUncaught = (error: Error, origin: string): void => {
    this.options.uncaught?.(error, origin === 'unhandledRejection' ? 'unhandled rejection' : 'uncaught exception');
    this.options.flushSync();
  };

  private async onSignal(signal: NodeJS.Signals): Promise<void> {
    const { handle } = this.handlers.find(handler => handler.signal === signal)!;
    process.off(signal, handle);
    const patience = new Promise<void>(resolve => setTimeout(resolve, patienceMs));
    await Promise.race([this.options.flush(), patience]);
    // Only if it was meant to end the process: with a listener of somebody else, such as Nest's shutdown hooks, it is theirs.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  }
}
