/** A session as it was read. */
export interface Session<Data> {
  /** What the client holds. Whoever has it has the session: it belongs into a cookie that is HttpOnly and Secure, and into no log. */
  readonly id: string;
  readonly data: Data;
  /** When it was created, in milliseconds since 1970; rotation does not change it. */
  readonly createdAt: number;
}

/**
 * Sessions, by ids of 256 random bits, of which the store holds only hashes. Every method but `onAvailability` rejects with
 * {@link SessionsUnavailableError} while the store is away: no session rather than an old one.
 *
 * The data have a type of the app's own: inject it as `Sessions<Login>`.
 */
export abstract class Sessions<Data extends object = Record<string, unknown>> {
  abstract create(data: Data): Promise<Session<Data>>;
  /**
   * The session; `undefined` when there is none (any more).
   * @param renew whether its time begins anew. @default sessions.rolling
   */
  abstract read(id: string, renew?: boolean): Promise<Session<Data> | undefined>;
  /**
   * Replaces the data by what `change` makes of them. When another process was faster it is called again with the newer ones, so nothing is lost.
   * @returns `undefined` when there is no such session; it is not made anew
   * @throws SessionContendedError
   */
  abstract update(id: string, change: (data: Data) => Data): Promise<Session<Data> | undefined>;
  /**
   * Gives the session a new id and ends the old one, in every process at once; to be called when somebody logs in or gets more rights.
   * @returns `undefined` when there is no such session
   */
  abstract rotate(id: string, change?: (data: Data) => Data): Promise<Session<Data> | undefined>;
  /**
   * Ends the session, in every process at once; a request that is still under way does not bring it back.
   * @returns whether there was one
   */
  abstract destroy(id: string): Promise<boolean>;
  /**
   * Writes a session under an id that somebody else made, as session middleware does; one that was destroyed stays so.
   * @param ttlMs in milliseconds. @default sessions.ttlMs
   */
  abstract save(id: string, data: Data, ttlMs?: number): Promise<void>;
  /** Has its time begin anew. @param ttlMs in milliseconds. @default sessions.ttlMs */
  abstract touch(id: string, ttlMs?: number): Promise<void>;
  abstract get isAvailable(): boolean;
  /** Calls back when the store goes away, and when it is back. @returns a function that ends it */
  abstract onAvailability(listener: (available: boolean) => void): () => void;
}
