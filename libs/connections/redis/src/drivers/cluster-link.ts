import type { Cluster, Redis } from 'ioredis';
import type { Link } from '../availability/link.js';
import { isTimeout } from '../commands/command-errors.js';
import type { InternalCluster } from '../commands/internals.js';

/** How soon a node is asked again that was not connected yet, in milliseconds. */
const ASK_AGAIN_MS = 10;

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
    this.watchReadyCheck(() => (last = clusterDown()));
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

  /**
   * Its client asks one node, any of them, whether the cluster serves. One that is still being connected to refuses, and all would be connected to anew: so
   * it is asked again then. When the cluster does not serve, its client connects anew without a word, and the last error would be that of some node.
   */
  private watchReadyCheck(failing: () => void): void {
    const cluster = this.cluster as unknown as InternalCluster;
    const check = cluster.readyCheck.bind(cluster);
    const ask: InternalCluster['readyCheck'] = tell =>
      check((error, failed) => {
        if (error && this.isConnecting) return void setTimeout(ask, ASK_AGAIN_MS, tell).unref();
        if (failed) failing();
        tell(error, failed);
      });
    cluster.readyCheck = ask;
  }

  private get isConnecting(): boolean {
    const nodes = this.cluster.status === 'connect' ? this.cluster.nodes('all') : [];
    return nodes.some(({ status }) => status === 'connecting' || status === 'connect');
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
