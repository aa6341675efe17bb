import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type ContextInput, RequestContext } from '@core-infra/kernel';
import { eventually } from '@core-infra/testing';
import { Scripted } from './member.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** As by timers that handlers leave behind, each of which keeps the context that it was set in. */
class KeptContext extends RequestContext {
  readonly kept: ContextInput[] = [];
  readonly current = undefined;

  run<T>(fields: ContextInput, work: () => T): T {
    this.kept.push(fields);
    return work();
  }

  set(): void {}
  newId(): string {
    return '';
  }
}

describe('messages that were handled', () => {
  it.each([false, true])('are not kept by what is left of their contexts (batch: %s)', async isBatch => {
    const context = new KeptContext();
    const broker = new Scripted([
      { call: () => Promise.resolve(), ...(isBatch && { batch: { size: 1, waitMs: 0 } as never }) },
    ]);
    Object.assign(broker.hub.site, { context });
    await broker.join();
    const deliver = (): WeakRef<object> => {
      const body = Buffer.from('{}'.padEnd(1_000_000));
      broker.deliver([{ body, key: 'a' }]);
      return new WeakRef(body);
    };
    const body = deliver();
    await eventually(() => expect(broker.settled).toEqual([0]));
    expect(context.kept).toHaveLength(1);
    await eventually(() => {
      collectGarbage();
      // Not the object itself: what a matcher has seen is kept.
      expect(body.deref() === undefined).toBe(true);
    });
  });
});
