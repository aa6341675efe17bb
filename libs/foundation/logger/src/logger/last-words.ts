const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
/** How long a signal waits for lines to be written, in milliseconds. */
const patienceMs = 1_000;
/** Tells our listeners from those of the app, also those of another copy of this package. */
const OURS = Symbol.for('core-infra:last-words');

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
  private readonly handlers = signals.map(signal => ({
    signal,
    handle: Object.assign(() => void this.onSignal(signal), { [OURS]: true }),
  }));
  private ending = false;

  constructor(private readonly options: LastWordsOptions) {
    process.on('exit', this.onExit);
    if (options.uncaught) process.on('uncaughtExceptionMonitor', this.onUncaught);
    // First, so that listeners which remove themselves (`once`) are still there to be seen.
    for (const { signal, handle } of this.handlers) process.prependListener(signal, handle);
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
    // With a listener of somebody else, such as bootstrap's or Nest's shutdown hooks, the end of the process is theirs.
    const others = process.rawListeners(signal).some(listener => !(OURS in listener));
    if (others) return;
    if (!this.ending) {
      this.ending = true;
      const patience = new Promise<void>(resolve => setTimeout(resolve, patienceMs));
      await Promise.race([this.options.flush(), patience]);
    }
    this.stop();
    // Another app's logger in this process may still be writing: the last one raises it.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  }
}
