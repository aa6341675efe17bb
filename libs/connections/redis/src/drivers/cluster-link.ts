import type { Cluster, Redis } from 'ioredis';
import type { Link } from '../availability/link.js';
import { isTimeout } from '../commands/command-errors.js';
import type { InternalCluster } from '../commands/internals.js';

/** A cluster: well when each of its masters answers, and says that all slots are served. */
export class ClusterLink implements Link {
  /** Masters that have not answered their last ping. */
  private readonly silent = new Set<Redis>();

  constructor(private readonly cluster: Cluster) {}

  get isReady(): boolean {
    return this.cluster.status === 'ready';
  }

  async ping(): Promise<void> {
    const masters = this.cluster.nodes('master');
    const sizes = await Promise.all(masters.map(node => this.ask(node)));
    const size = Math.max(1, ...sizes);
    if (masters.length >= size) return;
    this.refresh();
    throw new Error(`${size - masters.length} of ${size} masters cannot be reached`);
  }

  giveUp(): void {
    const hung = [...this.silent];
    this.silent.clear();
    // Its client takes up the node again when the cluster still names it; after a failover, the one that took its place.
    for (const node of hung) node.disconnect();
    this.refresh();
  }

  listen(ready: () => void, lost: (reason: string) => void): void {
    let last: Error | undefined;
    this.cluster.on('node error', (error: Error) => (last = error));
    // Its client connects again without a word when the cluster does not serve, and the last error would be that of a node that is away.
    const cluster = this.cluster as unknown as InternalCluster;
    const check = cluster.readyCheck.bind(cluster);
    cluster.readyCheck = tell =>
      check((error, failed) => {
        if (failed) last = clusterDown();
        tell(error, failed);
      });
    this.cluster.on('ready', () => {
      last = undefined;
      ready();
    });
    this.cluster.on('close', () => lost(last?.message ?? 'the connections to all nodes were lost'));
    // Else each node would connect with the first command to it, which would fail as long as it does.
    this.cluster.on('+node', (node: Redis) => {
      if (!node.options.readOnly && node.status === 'wait') node.connect().catch(() => undefined);
    });
    this.cluster.on('-node', () => this.refresh());
  }

  /** How many masters the cluster has, by this one's account. */
  private async ask(node: Redis): Promise<number> {
    this.silent.add(node);
    try {
      const size = await this.sizeSaidBy(node);
      this.silent.delete(node);
      return size;
    } catch (error) {
      if (!isTimeout(error)) this.silent.delete(node);
      throw error;
    }
  }

  private async sizeSaidBy(node: Redis): Promise<number> {
    try {
      const info = String(await node.cluster('INFO'));
      if (/cluster_state:fail/.test(info)) throw clusterDown();
      return Number(/cluster_size:(\d+)/.exec(info)?.[1] ?? 1);
    } catch (error) {
      if (!(error as Error).message.startsWith('NOPERM')) throw error;
      await node.ping();
      return 1;
    }
  }

  private refresh(): void {
    if (this.cluster.status === 'ready')
      (this.cluster as unknown as InternalCluster).refreshSlotsCache(() => undefined);
  }
}

const clusterDown = (): Error => new Error('CLUSTERDOWN the cluster does not serve all slots');
