import { exists } from '@ioredis/commands';
import type { Operation } from '@core-infra/kernel';
import type { Cluster, Redis } from 'ioredis';
import type { TracingChannel } from 'node:diagnostics_channel';
import { Deadlines } from '../availability/deadlines.js';
import { commandError, type ErrorSite } from './command-errors.js';
import type { InternalClient, InternalCommand } from './internals.js';
import { confine } from './key-space.js';
import { limitTime } from './time-limit.js';

export interface CommandSite extends ErrorSite {
  readonly operations: TracingChannel<unknown, Operation>;
}

/**
 * Every command of a client passes here: its error is named and loses its arguments, and it is one message on the channel `infra:redis`, by
 * its name alone. ioredis's own channel is left alone: it tells the keys and, of scripts, the values.
 */
export function watchCommands(client: Redis | Cluster, site: CommandSite): void {
  const internal = client as unknown as InternalClient;
  const send = internal.sendCommand.bind(client);
  const prefix = internal.options.keyPrefix ?? '';
  const reported = new WeakSet<InternalCommand>();
  const deadlines = new Deadlines();

  internal.sendCommand = (command, stream, node) => {
    limitTime(command, deadlines);
    const { reject } = command;
    command.reject = error => reject.call(command, commandError(error, command, site));
    if (prefix) confine(command, prefix);
    const { operations } = site;
    // One that is sent again after a reconnect was reported when it was sent first.
    if (!operations.hasSubscribers || reported.has(command)) return send(command, stream, node);
    reported.add(command);
    let sent: unknown;
    const traced = operations.tracePromise(
      () => {
        sent = send(command, stream, node);
        // The reply itself is nobody's business who measures.
        return command.promise.then(() => undefined);
      },
      { component: 'redis', connection: site.id, operation: nameOf(command) },
    );
    traced.catch(() => undefined); // it is the command's own rejection, and its caller has that
    return sent;
  };
}

/** `get`; of what Redis itself does not know, so that the vocabulary stays bounded, `other`. */
function nameOf({ name }: InternalCommand): string {
  const lower = name.toLowerCase();
  return exists(lower) ? lower : 'other';
}
