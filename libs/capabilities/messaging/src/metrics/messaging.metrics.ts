import type { Metric, MetricSample, ReadMetrics } from '@core-infra/kernel';
import type { MessagingHub } from '../bus/messaging-hub.js';
import type { GroupMember } from '../consume/group-member.js';

type Labels = NonNullable<MetricSample['labels']>;

/** Gathers samples under the names of their metrics. */
class Gauges {
  private readonly byName = new Map<string, { readonly help: string; readonly samples: MetricSample[] }>();

  add(name: string, help: string, labels: Labels, value: number): void {
    let family = this.byName.get(name);
    if (!family) this.byName.set(name, (family = { help, samples: [] }));
    family.samples.push({ labels, value });
  }

  all(): readonly Metric[] {
    return [...this.byName].map(([name, { help, samples }]) => ({ name, help, samples }));
  }
}

/**
 * What waits, is under way, parked and dead, by group. The broker is asked what a health check asks it. What it does not answer in time is
 * missing; what the process itself knows is there all the same.
 */
export function metricsOf(hub: MessagingHub): ReadMetrics {
  return async signal => {
    const gauges = new Gauges();
    const members = [...hub.members];
    for (const member of members) tellState(gauges, member);
    const asked = Promise.allSettled([
      tellDeadLetters(gauges, hub, signal),
      ...members.flatMap(member => [
        tellBacklog(gauges, member, signal),
        tellParked(gauges, hub, member.group, signal),
      ]),
    ]);
    // Why a question has failed is the health check's to report.
    await Promise.race([asked, aborted(signal)]);
    return gauges.all();
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}

function tellState(gauges: Gauges, { group, state: { inFlight, partitions, pausedBy, trouble } }: GroupMember): void {
  gauges.add('infra_messaging_in_flight_messages', 'Messages that this process has in hand.', { group }, inFlight);
  gauges.add('infra_messaging_partitions', 'Partitions that this process serves.', { group }, partitions);
  gauges.add(
    'infra_messaging_receiving',
    'Whether the group can receive: 0 while the broker refuses or is away.',
    { group },
    Number(!trouble),
  );
  for (const reason of pausedBy)
    gauges.add('infra_messaging_paused', 'What holds fetching up at present.', { group, reason }, 1);
}

async function tellBacklog(gauges: Gauges, member: GroupMember, signal: AbortSignal): Promise<void> {
  const { group } = member;
  for (const { topic, messages, oldestMs } of await member.backlog(signal)) {
    gauges.add(
      'infra_messaging_backlog_messages',
      'Messages that wait at the broker, for all members of the group.',
      { group, topic },
      messages,
    );
    if (oldestMs !== undefined)
      gauges.add(
        'infra_messaging_backlog_oldest_age_seconds',
        'For how long the oldest of them has been waiting.',
        { group, topic },
        oldestMs / 1_000,
      );
  }
}

async function tellParked(
  gauges: Gauges,
  { stores, driver }: MessagingHub,
  group: string,
  signal: AbortSignal,
): Promise<void> {
  const lot = stores.parking ?? driver.parking;
  if (!lot) return;
  const { keys, messages } = await lot.size(group, signal);
  gauges.add('infra_messaging_parked_messages', 'Messages that wait until their key goes on.', { group }, messages);
  gauges.add('infra_messaging_parked_keys', 'Keys that wait for the next attempt of their first.', { group }, keys);
}

async function tellDeadLetters(
  gauges: Gauges,
  { deadLetters, members }: MessagingHub,
  signal: AbortSignal,
): Promise<void> {
  const sizes = await deadLetters.sizes?.(signal);
  if (!sizes) return;
  const total = sizes.get('');
  // A group of this process without any is 0, and not unknown.
  const groups = total === undefined ? new Set([...[...members].map(({ group }) => group), ...sizes.keys()]) : [''];
  for (const group of groups)
    gauges.add(
      'infra_messaging_dead_letters',
      'Messages that a group has given up, until they are replayed or discarded.',
      { group },
      sizes.get(group) ?? 0,
    );
}
