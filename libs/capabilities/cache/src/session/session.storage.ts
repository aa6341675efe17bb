/** Bytes by the hash of a session's id. What has ended is remembered for a while, so that a request that is under way does not bring it back. */
export interface SessionStorage {
  /** @param renewMs how long it lasts from now on, in milliseconds; left out, its end stays where it is */
  read(key: string, renewMs?: number): Promise<Buffer | undefined>;
  /**
   * Writes what has not ended.
   * @param expected what must be there; left out, also nothing may be
   */
  write(key: string, bytes: Buffer, ttlMs: number, expected?: Buffer): Promise<'written' | 'ended' | 'changed'>;
  renew(key: string, ttlMs: number): Promise<void>;
  /** Ends it and returns what was there, in one step. */
  end(key: string, rememberMs: number): Promise<Buffer | undefined>;
  readonly isAvailable: boolean;
  onAvailability(listener: (available: boolean) => void): () => void;
}
