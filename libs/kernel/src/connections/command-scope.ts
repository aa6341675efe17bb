import { AsyncLocalStorage } from 'node:async_hooks';

/** What a command wants of an app: one connection, with what it stands on, and nothing else. */
interface CommandScope {
  readonly wanted: string;
  /** Names of the concerns that it may stand on. */
  readonly upstreams: ReadonlySet<string>;
  readonly found: (client: unknown) => Promise<void>;
}

export interface CommandRequest {
  /** Id of the connection, e.g. `feature-flags`. */
  readonly connection: string;
  /** Names of the concerns that it may stand on, e.g. `redis`. */
  readonly upstreams?: readonly string[];
}

/** Set while a command boots an app to get at one of its connections. */
export const commandScope = new AsyncLocalStorage<CommandScope>();

/** Whether a command runs that has no use for this connection. */
export function isLeftOut(id: string): boolean {
  const scope = commandScope.getStore();
  return scope !== undefined && id !== scope.wanted && !scope.upstreams.has(id.split(':')[0]!);
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
 * @returns what `work` returns; `undefined` when the app came up without such a connection
 */
export async function openForCommand<Client, Result>(
  boot: () => Promise<unknown>,
  { connection, upstreams = [] }: CommandRequest,
  work: (client: Client) => Promise<Result>,
): Promise<Result | undefined> {
  let result: Promise<Result> | undefined;
  const scope: CommandScope = {
    wanted: connection,
    upstreams: new Set(upstreams),
    found: async client => void (await (result = work(client as Client))),
  };
  try {
    await commandScope.run(scope, boot);
  } catch (error) {
    if (!result) throw error;
  }
  return result;
}
