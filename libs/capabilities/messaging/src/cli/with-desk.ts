import { type CliContext, connectionId, connectionToken, InfraError, openForCommand } from '@core-infra/kernel';
import { DeadLetterDesk } from '../admin/dead-letter-desk.js';
import { DeadLetterRequestError, DeadLettersOutOfReachError, UnknownDeadLetterError } from '../admin/errors.js';
import type { EventBus } from '../bus/event-bus.js';
import { hubOf } from '../bus/open-bus.js';
import type { OutboxRelay } from '../outbox/outbox.js';
import { text } from './selection.js';

/** What the exit codes of `dlq` mean besides 0 and 1: the command line makes no sense · no such dead letter · some stay, since the broker did not take them · out of reach. */
export const dlqExitCodes = { senseless: 2, unknown: 3, refused: 4, outOfReach: 5 } as const;

const upstreams = ['kafka', 'rabbitmq', 'nats', 'database'];

export interface DeskSite {
  readonly desk: DeadLetterDesk;
  /** Whether other processes receive what is sent. */
  readonly reachesOthers: boolean;
}

/** Runs a command on the dead letters of the app, of which nothing is opened but its bus and its outbox. Nothing is consumed, and nothing relayed. */
export async function withDesk(context: CliContext, work: (site: DeskSite) => Promise<number | void>): Promise<number> {
  try {
    const connection = text(context, 'connection') ?? 'default';
    const modules = [...(await context.app.inspect()).values()];
    const has = (token: unknown): boolean => modules.some(module => module.providers.has(token as never));
    if (!has(connectionToken('messaging', connection)))
      throw new DeadLetterRequestError(
        `The app registers no bus "${connection}".`,
        'Import MessagingModule in it, or name another one with --connection.',
      );
    // The outbox is the default bus's.
    const also = connection === 'default' && has(connectionToken('outbox')) ? [connectionId('outbox')] : [];
    const code = await openForCommand<EventBus, number | void>(
      () => context.app.boot(),
      { connection: connectionId('messaging', connection), also, upstreams, connected: true },
      (bus, outbox) => {
        const hub = hubOf(bus);
        (outbox as OutboxRelay | undefined)?.lend(hub);
        const reachesOthers = hub.driver.features.reach === 'network';
        if (!reachesOthers && !outbox) throw new DeadLettersOutOfReachError('Dead letters cannot be seen from here');
        return work({ desk: new DeadLetterDesk(hub), reachesOthers });
      },
    );
    return code ?? 0;
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined || !(error instanceof InfraError)) throw error;
    context.output.note(`error: ${error.problem} (${error.code})`);
    if (error.fix) context.output.note(`       ${error.fix}`);
    return code;
  }
}

function codeOf(error: unknown): number | undefined {
  if (error instanceof DeadLetterRequestError) return dlqExitCodes.senseless;
  if (error instanceof UnknownDeadLetterError) return dlqExitCodes.unknown;
  return error instanceof DeadLettersOutOfReachError ? dlqExitCodes.outOfReach : undefined;
}
