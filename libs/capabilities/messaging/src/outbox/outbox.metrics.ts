import type { DataSource } from '@core-infra/database';
import type { Metric } from '@core-infra/kernel';
import type { OutboxConfig } from './outbox.config.js';
import { backlogOf } from './relay/outbox-rows.js';

/** Events are counted up to so many: what a scrape costs does not grow with the tables from there on. */
const leastCountTo = 100_000;

/** What waits in the tables, and how much of what is parked there is room for. */
export async function outboxMetrics(
  dataSource: DataSource,
  { maxBacklog, maxParked }: Pick<OutboxConfig, 'maxBacklog' | 'maxParked'>,
): Promise<readonly Metric[]> {
  const countTo = Math.max(leastCountTo, maxBacklog + 1);
  const { events, oldestMs } = await backlogOf(dataSource, countTo);
  const [row] = await dataSource.query<{ scheduled: string }[]>(
    'SELECT count(*) AS scheduled FROM (SELECT 1 FROM messaging_scheduled LIMIT $1) AS waiting',
    [countTo],
  );
  return [
    gauge('infra_messaging_outbox_events', 'Committed events that wait to be relayed.', events),
    gauge(
      'infra_messaging_outbox_oldest_age_seconds',
      'For how long the first of them has been waiting; 0 when there is none.',
      oldestMs / 1_000,
    ),
    gauge('infra_messaging_scheduled_events', 'Events that are kept until their time comes.', Number(row!.scheduled)),
    gauge('infra_messaging_parked_limit_messages', 'How many messages of a group may be parked.', maxParked),
  ];
}

function gauge(name: string, help: string, value: number): Metric {
  return { name, help, samples: [{ value }] };
}
