import { IsIn } from 'class-validator';
import { ConnectionConfig, defineConcern, type DriverSite, type Opened } from '@core-infra/kernel';

/** A client of a third party's concern, each of whose calls is an operation. */
export class FakeClient {
  constructor(readonly at: DriverSite) {}

  call(operation: string, work: () => Promise<unknown> = () => Promise.resolve()): Promise<unknown> {
    const { id, operations } = this.at;
    return operations.tracePromise(work, { component: id.split(':')[0]!, connection: id, operation });
  }

  callNow(operation: string, work: () => unknown = () => undefined): unknown {
    const { id, operations } = this.at;
    return operations.traceSync(work, { component: id.split(':')[0]!, connection: id, operation });
  }
}

/** A concern with a connection of its own, as a third party would write it. */
export function fakeConcern(name: string, opened: Omit<Partial<Opened<object>>, 'client'> = {}) {
  class Client extends FakeClient {}
  class FakeConfig extends ConnectionConfig {
    @IsIn(['fake']) driver: 'fake' = 'fake';
  }
  const { ConcernModule } = defineConcern<FakeConfig, Client>({
    name,
    port: Client,
    config: FakeConfig,
    drivers: { fake: (_config, at) => ({ ...opened, client: new Client(at) }) },
  });
  class FakeModule extends ConcernModule {}
  return { Module: FakeModule, Client };
}
