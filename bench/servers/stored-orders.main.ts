import 'reflect-metadata';
import { Cache, type CachedLoader, CacheModule } from '@core-infra/cache';
import { CoreInfraModule, createApp, listen } from '@core-infra/core';
import { DatabaseModule } from '@core-infra/database';
import { HttpModule, ResourceNotFoundError } from '@core-infra/http';
import { RedisModule } from '@core-infra/redis';
import { Controller, Get, type INestApplication, Injectable, Module, Param } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { serve } from './serve.js';
import { orderOf, type SampleOrder } from './sample-order.js';

// The whole stack with orders in PostgreSQL (POSTGRES_DSN): read each time with CACHE=none, else through the cache, in memory or on Redis too.

const kind = process.env.CACHE as 'none' | 'memory' | 'redis';

@Injectable()
class StoredOrders {
  private readonly byId: CachedLoader<[id: string], SampleOrder>;

  constructor(
    private readonly database: DataSource,
    cache: Cache,
  ) {
    this.byId = cache.define('order', { key: id => id, load: id => this.load(id) });
  }

  find(id: string): Promise<SampleOrder> {
    return kind === 'none' ? this.load(id) : this.byId.get(id);
  }

  private async load(id: string): Promise<SampleOrder> {
    const rows = await this.database.query<{ body: SampleOrder }[]>('select body from bench_orders where id = $1', [
      id,
    ]);
    if (!rows[0]) throw new ResourceNotFoundError('Order', id);
    return rows[0].body;
  }
}

@Controller('orders')
class StoredOrdersController {
  constructor(private readonly orders: StoredOrders) {}

  @Get(':id')
  find(@Param('id') id: string): Promise<SampleOrder> {
    return this.orders.find(id);
  }
}

@Module({
  imports: [
    CoreInfraModule.forRoot({
      http: { port: 0, host: '127.0.0.1' },
      concerns: [
        DatabaseModule,
        HttpModule,
        ...(kind === 'redis' ? [RedisModule] : []),
        CacheModule.forRoot({ driver: kind === 'redis' ? 'redis' : 'memory' }),
      ],
    }),
  ],
  controllers: [StoredOrdersController],
  providers: [StoredOrders],
})
class AppModule {}

serve(async () => {
  const { app } = await createApp(AppModule);
  const database = app.get(DataSource);
  await database.query('create table if not exists bench_orders (id text primary key, body jsonb not null)');
  await database.query('insert into bench_orders values ($1, $2) on conflict do nothing', [
    '42',
    JSON.stringify(orderOf(42)),
  ]);
  return { url: await listen(app as INestApplication), close: () => app.close() };
});
