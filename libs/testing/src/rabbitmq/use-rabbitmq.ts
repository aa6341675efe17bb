import { resolveService } from '../dev-services/service.start.js';
import { rabbitmq } from '../dev-services/services/rabbitmq.service.js';
import { testRun } from '../dev-services/test-run.js';
import { type Started, useStarted } from '../helpers/use-started.js';

/** The RabbitMQ of the test run. */
export interface TestRabbitmq extends AsyncDisposable {
  /** With the password. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** @default '/' */
  readonly vhost: string;
}

/**
 * A real RabbitMQ for the specs of this file, to be called at the top of a file or of a `describe`: one server for the whole run of Jest (from
 * the environment, of this machine or in Docker). All files share its names: begin yours with a {@link uniqueName}.
 */
export function useRabbitmq(): Started<TestRabbitmq> {
  return useStarted(joinRabbitmq, [rabbitmq]);
}

async function joinRabbitmq(): Promise<TestRabbitmq> {
  const { url } = await resolveService(rabbitmq, { kind: 'run', run: testRun() });
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    url,
    host: hostname,
    port: Number(port || 5672),
    user: decodeURIComponent(username) || 'guest',
    password: decodeURIComponent(password) || 'guest',
    vhost: decodeURIComponent(pathname.slice(1)) || '/',
    // The lease is kept until the process ends: the next spec file finds the server still there.
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
