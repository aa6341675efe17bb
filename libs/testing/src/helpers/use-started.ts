import type { ServiceDefinition } from '../dev-services/service.definition.js';
import { needServices } from '../dev-services/spec-needs.js';
import { ServiceStateError } from '../errors.js';

/** How long the specs may wait for their servers, in milliseconds; an image may have to be pulled. */
export const SETUP_TIMEOUT_MS = 180_000;

/** What is started before the specs and disposed of after them, without the means to do that oneself. */
export type Started<Handle> = Omit<Handle, 'dispose' | typeof Symbol.asyncDispose>;

/**
 * Starts something before the specs of a file or of a `describe` and disposes of it after them. What it returns is usable from
 * the first hook on, and says so when it is used before.
 *
 * @param needs The servers that it cannot do without.
 */
export function useStarted<Handle extends AsyncDisposable>(
  start: () => Promise<Handle>,
  needs: readonly ServiceDefinition[],
): Started<Handle> {
  needServices(needs);
  let handle: Handle | undefined;
  beforeAll(async () => {
    handle = await start();
  }, SETUP_TIMEOUT_MS);
  afterAll(async () => {
    await handle?.[Symbol.asyncDispose]();
    handle = undefined;
  }, SETUP_TIMEOUT_MS);
  return new Proxy({} as Started<Handle> & object, {
    get: (_, name) => {
      if (handle) return Reflect.get(handle, name) as unknown;
      if (typeof name === 'symbol') return undefined;
      throw notThereYet();
    },
  });
}

/** @internal */
export function notThereYet(what = 'server'): ServiceStateError {
  return new ServiceStateError(
    `The ${what} is not there yet.`,
    'Use it in a hook or in a spec, not while the file loads.',
  );
}
