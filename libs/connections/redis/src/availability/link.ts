/** A connection as its availability sees it, whatever the driver. */
export interface Link {
  /** Whether it is worth pinging: connected, and the handshake done. */
  readonly isReady: boolean;
  /** Resolves when the server answers as it should; a cluster, when all of it does. May hang. */
  ping(): Promise<void>;
  /** Gives up the sockets that do not answer, so that new ones are opened; commands that wait on them are rejected. */
  giveUp(): void;
  /** Calls back when the handshake is done, and when the connection is lost. */
  listen(ready: () => void, lost: (reason: string) => void): void;
}
