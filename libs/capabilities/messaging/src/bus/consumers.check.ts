import type { Check, CheckResult } from '@core-infra/kernel';
import type { GroupMember } from '../consume/group-member.js';
import { textOf } from '../consume/text-of.js';
import type { TopicBacklog } from '../driver/message-driver.js';
import type { MessagingHub } from './messaging-hub.js';

/** What health tells of a group that this process is a member of. */
interface GroupHealth {
  readonly inFlight: number;
  readonly partitions: number;
  /** Why nothing more is fetched at present. */
  readonly pausedBy?: readonly string[];
  /** Messages that wait at the broker, for all members; unknown when it did not say. */
  readonly backlog?: number;
  readonly oldestMs?: number;
}

/** The driver's checks, with what the groups do: under `groups`, and as `degraded` when one receives nothing or is far behind. */
export function withConsumers(
  hub: MessagingHub,
  checks: Check | Readonly<Record<string, Check>> = {},
): Readonly<Record<string, Check>> {
  const byName = typeof checks === 'function' ? { '': checks } : checks;
  const own = byName[''];
  return {
    ...byName,
    '': async signal => {
      const [driver, consumers] = await Promise.all([own?.(signal), consumersOf(hub, signal)]);
      return { ...consumers, ...driver, ...reasons(driver?.degraded, consumers.degraded) };
    },
  };
}

function reasons(...all: readonly (string | undefined)[]): CheckResult {
  const given = all.filter(reason => reason !== undefined && reason !== '');
  return given.length > 0 ? { degraded: given.join('; ') } : {};
}

async function consumersOf(hub: MessagingHub, signal: AbortSignal): Promise<CheckResult> {
  if (hub.members.size === 0) return {};
  const told = await Promise.all([...hub.members].map(member => groupOf(hub, member, signal)));
  return {
    groups: Object.fromEntries(told.map(({ name, health }) => [name, health])),
    ...reasons(...told.map(({ degraded }) => degraded)),
  };
}

async function groupOf(
  { config: { consumers } }: MessagingHub,
  member: GroupMember,
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly health: GroupHealth; readonly degraded?: string }> {
  const { inFlight, partitions, pausedBy, trouble } = member.state;
  // A broker that does not answer is the driver's to report.
  const topics = await member.backlog(signal).catch((): readonly TopicBacklog[] => []);
  const backlog = topics.reduce((sum, { messages }) => sum + messages, 0);
  const oldestMs = Math.max(0, ...topics.map(({ oldestMs: age = 0 }) => age));
  const { maxBacklog, maxBacklogAgeMs } = consumers;
  const { degraded } = reasons(
    trouble && `the group "${member.group}" receives nothing: ${textOf(trouble)}`,
    maxBacklog > 0 && backlog > maxBacklog ? `${backlog} messages wait for the group "${member.group}"` : undefined,
    maxBacklogAgeMs > 0 && oldestMs > maxBacklogAgeMs
      ? `a message waits for the group "${member.group}" since ${Math.round(oldestMs / 1_000)} s`
      : undefined,
  );
  const health = {
    inFlight,
    partitions,
    ...(pausedBy.length > 0 && { pausedBy }),
    ...(topics.length > 0 && { backlog, ...(oldestMs > 0 && { oldestMs }) }),
  };
  return { name: member.group, health, ...(degraded !== undefined && { degraded }) };
}
