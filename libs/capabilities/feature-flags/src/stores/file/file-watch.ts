import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Calls back when something may have happened to a file: when the system tells of its folder, which survives that the file or a link
 * on the way to it is replaced, and every `pollMs` in any case. Calls never overlap.
 */
export class FileWatch {
  private readonly timer: NodeJS.Timeout;
  private watcher: FSWatcher | undefined;
  private looking: Promise<void> | undefined;
  private again = false;
  private ended = false;

  constructor(
    private readonly path: string,
    pollMs: number,
    private readonly look: () => Promise<void>,
  ) {
    this.timer = setInterval(() => this.ask(), pollMs).unref();
    this.ask();
  }

  async end(): Promise<void> {
    this.ended = true;
    clearInterval(this.timer);
    this.watcher?.close();
    await this.looking;
  }

  private ask(): void {
    this.again = true;
    this.looking ??= this.lookWhileAsked().finally(() => (this.looking = undefined));
  }

  private async lookWhileAsked(): Promise<void> {
    while (this.again && !this.ended) {
      this.again = false;
      this.listen();
      await this.look();
    }
  }

  /** The folder may not be there yet, or not be there any more: then the timer is what remains. */
  private listen(): void {
    if (this.watcher) return;
    try {
      this.watcher = watch(dirname(this.path), { persistent: false }, () => this.ask());
      this.watcher.on('error', () => this.deaf());
    } catch {
      this.deaf();
    }
  }

  private deaf(): void {
    this.watcher?.close();
    this.watcher = undefined;
  }
}
