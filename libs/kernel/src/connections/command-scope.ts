import { AsyncLocalStorage } from 'node:async_hooks';

/** What a command wants of an app: one connection or a few, with what they stand on, and nothing else. */
interface CommandScope {
  readonly wanted: readonly string[];
  /** Names of the concerns that they may stand on. */
  readonly upstreams: ReadonlySet<string>;
  /** Whether nothing is begun before it is connected, whatever its `startup`. */
  readonly connected: boolean;
  /** A connection is there. Resolves with whether the command has done its work, which it does once all that it wants are. */
  readonly opened: (id: string, client: unknown) => Promise<boolean>;
}

export interface CommandRequest {
  /** Id of the connection, e.g. `feature-flags`. */
  readonly connection: string;
  /** Ids of others that the work needs besides; each must be registered in the app. */
  readonly also?: readonly string[];
  /** Names of the concerns that they may stand on, e.g. `redis`. */
  readonly upstreams?: readonly string[];
  /**
   * Whether they are connected before the work begins, and the command fails when one cannot be. If not, those that start in the background
   * connect as the work goes on, and tell of what is wrong by their calls. @default false
   */
  readonly connected?: boolean;
}

/** Set while a command boots an app to get at one of its connections. */
export const commandScope = new AsyncLocalStorage<CommandScope>();

/** Whether a command runs that has no use for this connection. */
export function isLeftOut(id: string): boolean {
  const scope = commandScope.getStore();
  return scope !== undefined && !scope.wanted.includes(id) && !scope.upstreams.has(id.split(':')[0]!);
}

/** Ends a boot whose purpose is fulfilled. */
export class CommandDone extends Error {
  constructor() {
    super('The command has what it needs; the app is not started.');
  }
}

/**
 * Boots an app no further than to one of its connections, hands its client to `work`, and closes what was opened. No other connection is opened, no
 * migration runs, and no hook of the app: whatever needs another connection is never made.
 * @param boot boots the app; what it rejects with afterwards is expected
 * @param work gets the client of the connection, and those of `also` in their order
 * @returns what `work` returns; `undefined` when the app came up without such a connection
 */
export async function openForCommand<Client, Result>(
  boot: () => Promise<unknown>,
  { connection, also = [], upstreams = [], connected = false }: CommandRequest,
  work: (client: Client, ...others: unknown[]) => Promise<Result>,
): Promise<Result | undefined> {
  const wanted = [connection, ...also];
  const clients = new Map<string, unknown>();
  let result: Promise<Result> | undefined;
  const scope: CommandScope = {
    wanted,
    upstreams: new Set(upstreams),
    connected,
    opened: async (id, client) => {
      if (!wanted.includes(id)) return false;
      clients.set(id, client);
      if (clients.size < wanted.length) return false;
      const [first, ...others] = wanted.map(each => clients.get(each));
      await (result = work(first as Client, ...others));
      return true;
    },
  };
  try {
    await commandScope.run(scope, boot);
  } catch (error) {
    if (!result) throw error;
  }
  return result;
}
