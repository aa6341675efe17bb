/** A script in Lua, as `luaScript` of @core-infra/redis takes it. */
export interface ScriptSpec {
  readonly name: string;
  readonly keys: number;
  readonly source: string;
}

/** Runs a script: rejects at once while Redis is away, and within the connection's command timeout in any case. */
export type Script = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

/** Hears a channel until it is ended, over lost connections too. */
export interface Listening {
  /** Gives the connection up for a new one, when it is silent though there was something to hear. */
  reconnect(): void;
  end(): Promise<void>;
}

/** What the store needs of a connection to Redis; the driver makes it of a `RedisClient`, which only drivers may import. */
export interface RedisLink {
  readonly isAvailable: boolean;
  /** @returns a function that ends it */
  onChange(listener: (available: boolean) => void): () => void;
  script(spec: ScriptSpec): Script;
  /** @param stop the last index, included; -1 is the end of the list */
  lrange(key: string, start: number, stop: number): Promise<string[]>;
  /** @param onReady whenever it begins to hear: what was said before is lost */
  listen(channel: string, onMessage: (text: string) => void, onReady: () => void): Listening;
}
