import { resolveService } from '../dev-services/service.start.js';
import { nats } from '../dev-services/services/nats.service.js';
import { testRun } from '../dev-services/test-run.js';
import { type Started, useStarted } from '../helpers/use-started.js';

/** The NATS server of the test run, with JetStream. */
export interface TestNats extends AsyncDisposable {
  /** With the password. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** `undefined` when it wants none. */
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/**
 * A real NATS server for the specs of this file, to be called at the top of a file or of a `describe`: one server for the whole run of Jest (from
 * the environment, of this machine or in Docker). All files share its subjects and streams: begin yours with a {@link uniqueName}.
 */
export function useNats(): Started<TestNats> {
  return useStarted(joinNats, [nats]);
}

async function joinNats(): Promise<TestNats> {
  const { url } = await resolveService(nats, { kind: 'run', run: testRun() });
  const { hostname, port, username, password } = new URL(url);
  return {
    url,
    host: hostname,
    port: Number(port || 4222),
    user: username === '' ? undefined : decodeURIComponent(username),
    password: password === '' ? undefined : decodeURIComponent(password),
    // The lease is kept until the process ends: the next spec file finds the server still there.
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
