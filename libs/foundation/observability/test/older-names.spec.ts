import 'reflect-metadata';
import { HealthModule } from '@core-infra/health';
import { KafkaClient, KafkaModule } from '@core-infra/kafka';
import { AppInfo } from '@core-infra/kernel';
import { ObservabilityModule } from '@core-infra/observability';
import { RedisClient, RedisModule } from '@core-infra/redis';
import { bootHttp, uniqueName, useKafka, useRedis } from '@core-infra/testing';
import { Controller, Get, Global, Module } from '@nestjs/common';
import { scrape } from './support.js';

@Controller('orders')
class OrdersController {
  @Get(':id')
  get(): string {
    return 'an order';
  }
}

@Module({ controllers: [OrdersController] })
class OrdersModule {}

@Global()
@Module({
  providers: [{ provide: AppInfo, useValue: { ...AppInfo.unknown, name: 'shop' } }],
  exports: [AppInfo],
})
class ShopInfoModule {}

describe('names that dashboards had before there was infra_', () => {
  const redis = useRedis();
  const kafka = useKafka();

  it('are served with their units and labels, and with no others', async () => {
    await using app = await bootHttp('fastify', [
      ShopInfoModule,
      ObservabilityModule.forRoot(),
      HealthModule.forRoot(),
      RedisModule.forRoot({ url: redis.url, startup: 'require' }),
      KafkaModule.forRoot({ brokers: kafka.brokers, startup: 'require' }),
      OrdersModule,
    ]);
    const topic = uniqueName('orders');
    const client = app.get(KafkaClient);
    await client.admin.ensureTopics([{ topic, partitions: 1 }]);
    await client.producer.sendBatch([1, 2, 3].map(n => ({ topic, value: Buffer.from(String(n)) })));
    await app.get(RedisClient).set(uniqueName('key'), 'value');
    await app.fetch('/orders/1');
    await app.fetch('/orders/2');
    await app.fetch('/nowhere');
    await app.fetch('/health');
    const found = await scrape(app);
    const one = (name: string, labels: Record<string, string>): number | undefined => {
      const sample = found.of(name).find(({ labels: own }) => JSON.stringify(own) === JSON.stringify(labels));
      return sample?.value;
    };
    expect(one('kafka_producer_messages_total', { topic })).toBe(3);
    expect(one('redis_operation_duration_seconds_count', { command: 'set' })).toBe(1);
    expect(one('health_check_duration_seconds_count', { check_name: 'redis' })).toBeGreaterThan(0);
    expect(one('request_count_total', { app_name: 'shop', endpoint: '/orders/:id' })).toBe(2);
    expect(one('request_count_total', { app_name: 'shop', endpoint: 'none' })).toBe(1);
    expect(one('request_latency_seconds_count', { app_name: 'shop', endpoint: '/orders/:id' })).toBe(2);
    for (const name of ['redis_operation', 'health_check', 'request_latency'])
      expect(found.types.get(`${name}${name === 'request_latency' ? '' : '_duration'}_seconds`)).toBe('histogram');
  });
});
