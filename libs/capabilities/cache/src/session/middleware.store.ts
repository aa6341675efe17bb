import type { EventEmitter } from 'node:events';
import { SessionsUnavailableError } from './errors.js';
import type { Sessions } from './sessions.js';

type Callback = (error?: unknown) => void;

/** What is known of a session of express-session and of @fastify/session. */
interface MiddlewareSession {
  cookie: { expires?: Date | string | boolean | null; maxAge?: number | null; originalMaxAge?: number | null };
}

/** The three methods that both middlewares call, and `touch`. */
export interface SessionStoreMethods {
  get(id: string, callback: (error: unknown, session?: never) => void): void;
  set(id: string, session: never, callback?: Callback): void;
  destroy(id: string, callback?: Callback): void;
  /** The session is used, and has not changed. */
  touch(id: string, session: never, callback?: Callback): void;
}

/**
 * What a request of @fastify/session has in place of its session while the store is away: nothing of what is in it. It stays where it is: what a
 * handler writes into this one is refused with {@link SessionsUnavailableError}, a 503.
 */
export interface SessionAway {
  readonly storeIsAway?: true;
}

/**
 * A store for @fastify/session: `app.register(fastifySession, { store: fastifySessionStore(sessions), … })`. While the store behind it is away, requests
 * with a session's cookie have an empty one that cannot be written, with `storeIsAway: true`, and the cookie is left alone.
 */
export function fastifySessionStore(sessions: Sessions<object>): SessionStoreMethods {
  const store = storeOf(sessions);
  return {
    ...store,
    get: (id, callback) =>
      store.get(id, (error, session) =>
        error instanceof SessionsUnavailableError
          ? callback(undefined, { storeIsAway: true } satisfies SessionAway as never)
          : callback(error, session),
      ),
    set: (id, session: MiddlewareSession & SessionAway, callback) => {
      if (!session.storeIsAway) return store.set(id, session as never, callback);
      const isWritten = Object.keys(session).some(name => name !== 'cookie' && name !== 'storeIsAway');
      return void setImmediate(() =>
        callback?.(isWritten ? answerable(new SessionsUnavailableError('sessions')) : undefined),
      );
    },
  };
}

function storeOf(sessions: Sessions<object>): SessionStoreMethods {
  const settle = <T>(work: Promise<T>, callback: ((error?: unknown, result?: never) => void) | undefined): void => {
    // Out of the promise, so that what the callback throws is not taken for a rejection of ours.
    work.then(
      result => setImmediate(() => callback?.(undefined, result as never)),
      (error: unknown) => setImmediate(() => callback?.(answerable(error))),
    );
  };
  return {
    // Whose time begins anew when is for the middleware to say, which writes or touches it: its cookie may last longer than `sessions.ttlMs`.
    get: (id, callback) =>
      settle(
        sessions.read(id, false).then(found => found?.data ?? null),
        callback,
      ),
    set: (id, session: MiddlewareSession, callback) => settle(sessions.save(id, session, ttlOf(session)), callback),
    destroy: (id, callback) =>
      settle(
        sessions.destroy(id).then(() => undefined),
        callback,
      ),
    touch: (id, session: MiddlewareSession, callback) => settle(sessions.touch(id, ttlOf(session)), callback),
  };
}

/**
 * As Express, Fastify, and Nest without a filter of the app's know the status of an error (http-errors): they would answer 500. They may also show its
 * message to the client; what is to be done is for the log, and stays in the stack.
 */
function answerable(error: unknown): unknown {
  if (!(error instanceof SessionsUnavailableError)) return error;
  return Object.assign(error, {
    statusCode: error.status,
    expose: false,
    message: 'Sessions are not available at present.',
  });
}

/**
 * A store for express-session: `session({ store: expressSessionStore(session.Store, sessions), … })`. While the store behind it is away, requests
 * have no session (`req.session` is `undefined`), and the cookie is left alone, so that the session is there again afterwards. Those that find out that
 * it went away are answered with 503.
 *
 * @param Store the base class that express-session exports
 */
export function expressSessionStore<S extends EventEmitter>(
  Store: abstract new () => S,
  sessions: Sessions<object>,
): S & SessionStoreMethods {
  class ExpressSessionStore extends (Store as unknown as new () => EventEmitter) {}
  const store = Object.assign(new ExpressSessionStore(), storeOf(sessions)) as unknown as S & SessionStoreMethods;
  const tell = (available: boolean): void => void store.emit(available ? 'connect' : 'disconnect');
  sessions.onAvailability(tell);
  // The middleware listens only after it was given the store.
  if (!sessions.isAvailable) setImmediate(() => tell(sessions.isAvailable));
  return store;
}

/** The cookie's own end, where it has one; a cookie that lasts as long as the browser leaves it to `sessions.ttlMs`. */
function ttlOf({ cookie }: MiddlewareSession): number | undefined {
  const { expires } = cookie;
  if (expires === null || expires === undefined || typeof expires === 'boolean') return undefined;
  const ttlMs = new Date(expires).getTime() - Date.now();
  return Number.isFinite(ttlMs) ? Math.max(1, ttlMs) : undefined;
}
