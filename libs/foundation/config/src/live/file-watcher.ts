import { type FSWatcher, statSync, watch } from 'node:fs';

/** Events come in bursts: an editor writes, renames and sets modes. */
const SETTLE_MS = 50;

/**
 * Watches folders rather than files, because editors write by rename and Kubernetes swaps a symbolic link, and because a file may come later.
 * It does not keep the process alive.
 */
export class FolderWatcher {
  private readonly watchers = new Map<string, { readonly inode: string; readonly watcher: FSWatcher }>();
  private timer?: NodeJS.Timeout;
  private closed = false;

  constructor(
    private readonly onChange: () => void,
    private readonly onError: (folder: string, error: unknown) => void,
    /** Which names in a folder matter; others are passed over. */
    private readonly matters: (folder: string, name: string) => boolean,
  ) {}

  /** Watches exactly these folders; those that are not there are left out until the next call. A folder that was replaced is watched anew. */
  watch(folders: readonly string[]): void {
    if (this.closed) return;
    const wanted = new Map(
      folders.flatMap(folder => {
        const inode = inodeOf(folder);
        return inode === undefined ? [] : [[folder, inode] as const];
      }),
    );
    for (const [folder, { inode, watcher }] of this.watchers) {
      if (wanted.get(folder) === inode) continue;
      watcher.close();
      this.watchers.delete(folder);
    }
    for (const [folder, inode] of wanted) if (!this.watchers.has(folder)) this.start(folder, inode);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    for (const { watcher } of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }

  private start(folder: string, inode: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_, name) => {
        if (name === null || this.matters(folder, name)) this.settle();
      });
      watcher.on('error', error => {
        watcher.close();
        this.watchers.delete(folder);
        if (inodeOf(folder) === inode) this.onError(folder, error);
        else this.settle(); // it was removed or replaced
      });
      this.watchers.set(folder, { inode, watcher });
    } catch (error) {
      this.onError(folder, error);
    }
  }

  private settle(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.onChange, SETTLE_MS).unref();
  }
}

function inodeOf(folder: string): string | undefined {
  const stats = statSync(folder, { throwIfNoEntry: false, bigint: true });
  return stats?.isDirectory() ? `${stats.dev}:${stats.ino}` : undefined;
}
