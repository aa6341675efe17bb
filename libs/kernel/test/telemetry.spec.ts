import { Module } from '@nestjs/common';
import {
  appOf,
  AppState,
  ConnectionConfig,
  Connections,
  connectionStages,
  defineConcern,
  type DriverSite,
  type Metric,
  operations,
} from '@core-infra/kernel';
import { IsIn } from 'class-validator';
import { boot, closeApps } from './fixtures/concerns.js';

afterEach(closeApps);

abstract class Port {
  abstract readonly at: DriverSite;
}
class Config extends ConnectionConfig {
  @IsIn(['only']) driver: 'only' = 'only';
}

function concernWith(opened: { metrics?: () => readonly Metric[]; connect?: () => Promise<void> } = {}) {
  const concern = defineConcern<Config, Port>({
    name: 'shared',
    port: Port,
    config: Config,
    drivers: { only: (_config, at) => ({ ...opened, client: { at } }) },
  });
  @Module({})
  class SharedModule extends concern.ConcernModule {}
  return SharedModule;
}

describe('the channels of two applications in one process', () => {
  it('tell whose call or stage each message is of', async () => {
    const first = await boot([concernWith().forRoot()]);
    const second = await boot([concernWith().forRoot()]);
    const heard: (object | undefined)[] = [];
    const note = (message: object): void => void heard.push(appOf(message));
    const handlers = { start: note, end() {}, asyncStart() {}, asyncEnd() {}, error() {} };
    const call = { component: 'shared', connection: 'shared', operation: 'get' };
    operations('shared').subscribe(handlers);
    connectionStages.subscribe(handlers);
    try {
      const on = (app: typeof first) => app.get<Port>(Port).at.operations;
      await on(first).tracePromise(() => Promise.resolve(), { ...call });
      on(second).traceSync(() => undefined, { ...call });
      operations('shared').traceSync(() => undefined, { ...call });
      await second.get(Connections).checks()[0]!.run();
      expect(on(first).hasSubscribers).toBe(true);
    } finally {
      operations('shared').unsubscribe(handlers);
      connectionStages.unsubscribe(handlers);
    }
    const [a, b] = [first.get(AppState), second.get(AppState)];
    expect(heard).toHaveLength(4);
    expect([heard[0] === a, heard[1] === b, heard[2] === undefined, heard[3] === b]).toEqual([true, true, true, true]);
    expect(first.get<Port>(Port).at.operations.hasSubscribers).toBe(false);
  });
});

describe('the numbers of a connection', () => {
  it('are read when somebody asks, and refused while it is not open', async () => {
    const metrics = () => [{ name: 'waiting', help: 'What waits.', samples: [{ value: 3 }] }];
    const app = await boot([
      concernWith({ metrics }).forRoot(),
      concernWith({ metrics, connect: () => Promise.reject(new Error('away')) }).forRoot({
        name: 'away',
        startup: 'background',
      }),
    ]);
    const [open, away, ...more] = app.get(Connections).metrics();
    const { signal } = new AbortController();
    expect([open!.id, away!.id, more.length]).toEqual(['shared', 'shared:away', 0]);
    expect(await open!.read(signal)).toEqual(metrics());
    expect(() => away!.read(signal)).toThrow(expect.objectContaining({ code: 'INFRA_NOT_CONNECTED' }));
  });
});
