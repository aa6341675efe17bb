import { resolveService } from '../dev-services/service.start.js';
import { redis } from '../dev-services/services/redis.service.js';
import { testRun } from '../dev-services/test-run.js';
import { type Started, useStarted } from '../helpers/use-started.js';

/** The Redis of the test run. */
export interface TestRedis extends AsyncDisposable {
  /** With the password. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** `undefined` when it has none. */
  readonly password: string | undefined;
}

/**
 * A real Redis for the specs of this file, to be called at the top of a file or of a `describe`: one server for the whole run of Jest (from
 * the environment, of this machine or in Docker). All files share its keys: begin yours with a {@link uniqueName}, and never flush.
 */
export function useRedis(): Started<TestRedis> {
  return useStarted(joinRedis, [redis]);
}

async function joinRedis(): Promise<TestRedis> {
  const { url } = await resolveService(redis, { kind: 'run', run: testRun() });
  const { hostname, port, password } = new URL(url);
  return {
    url,
    host: hostname,
    port: Number(port || 6379),
    password: password === '' ? undefined : decodeURIComponent(password),
    // The lease is kept until the process ends: the next spec file finds the server still there.
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
