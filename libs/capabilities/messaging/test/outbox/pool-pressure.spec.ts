import { DataSource } from '@core-infra/database';
import { eventually, uniqueName, usePostgres } from '@core-infra/testing';
import { Controller } from '@nestjs/common';
import { IsString } from 'class-validator';
import { hubOf } from '../../src/bus/open-bus.js';
import { defineEvent, EventBus, Subscribe } from '../../src/index.js';
import { bootWithDatabase } from './support/boot-with-database.js';

const postgres = usePostgres();

class Order {
  @IsString() id!: string;
}
const placed = defineEvent('orders.placed', { schema: Order });

describe('the pool of the database', () => {
  it('holds up what groups fetch while somebody waits for a connection', async () => {
    @Controller()
    class Handlers {
      @Subscribe(placed, { group: uniqueName('group') })
      handle(): void {}
    }
    await using app = await bootWithDatabase({
      url: postgres.url,
      controllers: [Handlers],
      messaging: { consumers: { maxLoopDelayMs: 0, maxHeapUsed: 1 } },
      outbox: { relay: false },
    });
    const dataSource = app.get(DataSource);
    const [member] = hubOf(app.get(EventBus)).members;
    expect(member!.state.pausedBy).toEqual([]);

    const taken = Array.from({ length: 12 }, () => dataSource.createQueryRunner());
    const connected = taken.map(runner => runner.connect().then(() => runner));
    await eventually(() => expect(member!.state.pausedBy).toEqual(['database pool']));

    for (const runner of connected) await (await runner).release();
    await eventually(() => expect(member!.state.pausedBy).toEqual([]));
  });
});
