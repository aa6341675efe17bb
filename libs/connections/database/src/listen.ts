import type { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { partsOf } from './orm/infra-data-source.js';
import { NotOurDataSourceError } from './transactions/errors.js';

const firstPauseMs = 100;
const longestPauseMs = 5_000;

export interface ListenHandlers {
  /** A NOTIFY on the channel, with its payload; empty where it has none. */
  notified(payload: string): void;
  /** The server hears for us from now on; what was notified before, also since the connection was lost, is not told. */
  listening(): void;
  /** The connection is lost, or cannot be had; it is tried again. */
  lost?(error: Error): void;
}

export interface Listening {
  readonly isListening: boolean;
  /** Closes the connection; resolves when it is. */
  close(): Promise<void>;
}

/**
 * Listens on a channel (LISTEN), on a connection of its own beside the pool, which is opened again whenever it is lost. It needs a session: not
 * through PgBouncer in transaction mode.
 * @param channel a name of lower-case letters, digits and underscores
 * @throws NotOurDataSourceError
 */
export function listenTo(dataSource: DataSource, channel: string, handlers: ListenHandlers): Listening {
  const parts = partsOf(dataSource);
  if (!parts) throw new NotOurDataSourceError('Listening');
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(channel))
    throw new TypeError(`${JSON.stringify(channel)} is no name of a channel.`);
  let client: Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let isListening = false;
  let failures = 0;

  const lose = (error: Error): void => {
    if (!client) return;
    const lost = client;
    client = undefined;
    isListening = false;
    lost.end().catch(() => undefined); // it is gone already
    if (closed) return;
    handlers.lost?.(error);
    const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** failures++) * (0.5 + Math.random() / 2);
    timer = setTimeout(() => void open(), pause).unref();
  };

  const open = async (): Promise<void> => {
    const own = parts.pool()?.dedicated();
    if (!own || closed) {
      if (!closed) timer = setTimeout(() => void open(), firstPauseMs).unref();
      return;
    }
    client = own;
    own.on('error', lose);
    own.on('end', () => client === own && lose(new Error('The server has closed the connection.')));
    own.on('notification', ({ payload }) => handlers.notified(payload ?? ''));
    try {
      await own.connect();
      await own.query(`LISTEN ${channel}`);
    } catch (error) {
      if (client === own) lose(error as Error);
      return;
    }
    if (client !== own) return;
    failures = 0;
    isListening = true;
    handlers.listening();
  };

  void open();
  return {
    get isListening() {
      return isListening;
    },
    close: async () => {
      closed = true;
      isListening = false;
      clearTimeout(timer);
      const last = client;
      client = undefined;
      await last?.end().catch(() => undefined); // nothing is lost by an end that fails
    },
  };
}
