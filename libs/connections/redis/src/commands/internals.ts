import type { Cluster, Redis } from 'ioredis';

/** What ioredis 5.11 has and its types leave out. Everything of ours that leans on it is listed here, and shown by specs. */
export interface InternalCommand {
  readonly name: string;
  args: (string | Buffer)[];
  readonly promise: Promise<unknown>;
  reject: (error: Error) => void;
  transformReply(reply: unknown): unknown;
  setTimeout(ms: number): void;
  _clearTimers(): void;
  readonly _commandTimeoutTimer?: NodeJS.Timeout;
  /** Its place in a pipeline, if it is in one. */
  readonly pipelineIndex?: number;
}

export interface CommandItem {
  readonly command: InternalCommand;
}

/** A `denque`. */
export interface CommandQueue {
  readonly length: number;
  peekAt(index: number): CommandItem | undefined;
  removeOne(index: number): CommandItem | undefined;
}

export interface InternalClient {
  sendCommand(command: InternalCommand, stream?: unknown, node?: unknown): unknown;
  readonly options: { keyPrefix?: string };
}

export interface InternalRedis extends InternalClient {
  readonly stream?: { readonly destroyed: boolean; destroy(): void; on(event: 'error', listener: () => void): void };
  /** Makes the sockets; the one for sentinels also the connections to these. */
  readonly connector: {
    connect(...args: unknown[]): Promise<InternalRedis['stream']>;
    connectToSentinel?: (...args: unknown[]) => Redis;
  };
  readonly commandQueue: CommandQueue;
  readonly offlineQueue: { push(item: { command: InternalCommand; select: number }): void };
  readonly condition: { readonly select: number };
  /** Commands that were under way when the connection was lost, to be sent again. */
  readonly prevCommandQueue?: CommandQueue | null;
  flushQueue(error: Error, options?: { offlineQueue?: boolean; commandQueue?: boolean }): void;
}

export interface InternalCluster extends InternalClient {
  refreshSlotsCache(callback?: (error?: Error) => void): void;
  /** Asks a node whether the cluster serves; tells the state that it says, if that is bad. */
  readyCheck(callback: (error?: Error | null, failed?: string) => void): void;
  /** The connection that serves all subscriptions. */
  readonly subscriber: { getInstance(): Redis | null };
}

export function isCluster(client: Redis | Cluster): client is Cluster {
  return client.isCluster;
}
