import { toxiproxy } from '../dev-services/services/toxiproxy.service.js';
import { resolveService } from '../dev-services/service.start.js';
import { testRun } from '../dev-services/test-run.js';
import { ServiceStateError } from '../errors.js';
import { eventually } from '../helpers/eventually.js';
import { uniqueName } from '../helpers/unique-name.js';
import { type Started, useStarted } from '../helpers/use-started.js';

/** How long it may take to end a fault, in milliseconds. */
const CLEARED_WITHIN_MS = 300;

/** One fault of Toxiproxy, as its HTTP interface names it. */
interface Toxic {
  type: 'latency' | 'reset_peer' | 'timeout';
  /** `downstream` is what the server says, `upstream` what the client says. */
  stream: 'downstream' | 'upstream';
  attributes: Record<string, number>;
}

/**
 * A real Toxiproxy in front of a server. Each word replaces the one before and holds for connections that are there and for those to come.
 */
export interface ToxicProxy extends AsyncDisposable {
  /** The target's address, by way of the proxy; stays the same. */
  readonly url: string;
  /** Every answer arrives `delayMs` milliseconds late, plus or minus up to `jitterMs`. */
  latency(delayMs: number, jitterMs?: number): Promise<void>;
  /** Accepts connections and resets them as soon as something is said. */
  resetPeer(): Promise<void>;
  /** Accepts connections and never answers; what is said is lost, and healing closes them. */
  halfOpen(): Promise<void>;
  /** Closes all connections and refuses new ones. */
  down(): Promise<void>;
  /** An undisturbed network again. Connections that have only been slow are kept, unless Toxiproxy is busy with answers to ones that have ended. */
  heal(): Promise<void>;
}

/** A proxy on the Toxiproxy at `api` in front of the server at `target`. @internal */
export async function startToxicProxy(api: string, target: string): Promise<ToxicProxy> {
  let name = uniqueName('proxy');
  const call = async <Answer>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Answer> => {
    const response = await fetch(`${api}/proxies${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
    const text = await response.text();
    if (!response.ok) throw new ServiceStateError(`Toxiproxy answered ${response.status}: ${text}`, 'See its log.');
    return (text === '' ? undefined : JSON.parse(text)) as Answer;
  };

  const upstream = new URL(target);
  const create = (at: string): Promise<{ listen: string }> =>
    call('POST', '', { name, listen: at, upstream: upstream.host, enabled: true });
  const { listen } = await create('127.0.0.1:0');
  const url = new URL(target);
  url.host = listen;

  /**
   * For each answer that it cannot deliver, as the connection has ended, Toxiproxy waits for five seconds, and until then nothing can be done with
   * the proxy (Shopify/toxiproxy#558); but its port is free at once.
   */
  const replace = async (): Promise<void> => {
    const done = new AbortController();
    const closing = call('POST', `/${name}`, { enabled: false }, done.signal).catch(() => undefined);
    name = uniqueName('proxy');
    await eventually(() => create(listen));
    done.abort();
    await closing;
  };
  const clear = async (): Promise<void> => {
    const { toxics } = await call<{ toxics: { name: string }[] }>('GET', `/${name}`);
    const inTime = AbortSignal.timeout(CLEARED_WITHIN_MS);
    try {
      for (const toxic of toxics) await call('DELETE', `/${name}/toxics/${toxic.name}`, undefined, inTime);
    } catch (error) {
      if (!inTime.aborted) throw error;
      await replace();
    }
  };
  const set = async (enabled: boolean, ...toxics: Toxic[]): Promise<void> => {
    await clear();
    await call('POST', `/${name}`, { enabled });
    for (const toxic of toxics) await call('POST', `/${name}/toxics`, toxic);
  };
  const both = (toxic: Omit<Toxic, 'stream'>): Toxic[] => [
    { ...toxic, stream: 'upstream' },
    { ...toxic, stream: 'downstream' },
  ];
  return {
    url: url.href,
    latency: (delayMs, jitterMs = 0) =>
      set(true, { type: 'latency', stream: 'downstream', attributes: { latency: delayMs, jitter: jitterMs } }),
    resetPeer: () => set(true, ...both({ type: 'reset_peer', attributes: { timeout: 0 } })),
    halfOpen: () => set(true, ...both({ type: 'timeout', attributes: { timeout: 0 } })),
    down: () => set(false),
    heal: () => set(true),
    [Symbol.asyncDispose]: () => call('DELETE', `/${name}`),
  };
}

/**
 * A real Toxiproxy in front of a server, for the specs of a file or of a `describe`: undisturbed again after each of them, gone at the end.
 * One process serves the whole run of Jest.
 *
 * @param target The server's address, asked for when the specs begin: `() => redis.url`.
 */
export function useToxiproxy(target: () => string): Started<ToxicProxy> {
  const proxy = useStarted(async () => {
    const { url } = await resolveService(toxiproxy, { kind: 'run', run: testRun() });
    return startToxicProxy(url, target());
  }, [toxiproxy]);
  afterEach(() => proxy.heal());
  return proxy;
}
