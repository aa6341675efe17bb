import { kafka } from '../dev-services/services/kafka.service.js';
import { resolveService } from '../dev-services/service.start.js';
import { testRun } from '../dev-services/test-run.js';
import { type Started, useStarted } from '../helpers/use-started.js';

/** The Kafka of the test run. */
export interface TestKafka extends AsyncDisposable {
  /** `host:port` of each broker; fit for `KAFKA_BROKERS` when joined by commas. */
  readonly brokers: string[];
}

/**
 * A real Kafka for the specs of this file, to be called at the top of a file or of a `describe`: one broker for the whole run of Jest (from
 * the environment, of this machine or in Docker). It creates no topic by itself, and all files share its topics and groups: begin yours with a
 * {@link uniqueName}.
 */
export function useKafka(): Started<TestKafka> {
  return useStarted(joinKafka, [kafka]);
}

async function joinKafka(): Promise<TestKafka> {
  const { url } = await resolveService(kafka, { kind: 'run', run: testRun() });
  return {
    brokers: url.split(',').map(broker => broker.trim()),
    // The lease is kept until the process ends: the next spec file finds the broker still there.
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
