import { createRequire } from 'node:module';

interface Connection {
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
}

const corrected = Symbol.for('core-infra.kafka.connecting');

/**
 * Those who find a connection of kafkajs not made yet each open a socket, and all but the last are forgotten; so is one that opens after the
 * connection was closed. Forgotten ones stay open, and keep the process. Corrected once, where kafkajs keeps it: an attempt is shared, and what
 * opens too late is closed.
 */
export function correctConnecting(): void {
  const { prototype } = createRequire(__filename)('kafkajs/src/network/connection') as {
    prototype: Connection & { [corrected]?: true };
  };
  if (prototype[corrected]) return;
  prototype[corrected] = true;
  const { connect, disconnect } = prototype;
  const attempts = new WeakMap<Connection, { readonly promise: Promise<unknown>; isClosed: boolean }>();
  prototype.connect = function (this: Connection) {
    const present = attempts.get(this);
    if (present && !present.isClosed) return present.promise;
    const before = present?.promise.catch(() => undefined) ?? Promise.resolve();
    const promise = before.then(() => connect.call(this));
    const attempt = { promise, isClosed: false };
    attempts.set(this, attempt);
    const end = async (): Promise<void> => {
      if (attempts.get(this) === attempt) attempts.delete(this);
      if (attempt.isClosed) await disconnect.call(this);
    };
    promise.then(end, end).catch(() => undefined); // whoever connects is told
    return promise;
  };
  prototype.disconnect = function (this: Connection) {
    const attempt = attempts.get(this);
    if (attempt) attempt.isClosed = true;
    return disconnect.call(this);
  };
}
