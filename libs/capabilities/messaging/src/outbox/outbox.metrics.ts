import type { DataSource } from '@core-infra/database';
import type { Metric } from '@core-infra/kernel';
import { backlogOf } from './relay/outbox-rows.js';

/** What waits in the tables, counted up to a limit, so that a scrape costs the same however full they are. */
export async function outboxMetrics(dataSource: DataSource, countTo: number): Promise<readonly Metric[]> {
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
  ];
}

function gauge(name: string, help: string, value: number): Metric {
  return { name, help, samples: [{ value }] };
}
