import { ContextModule } from '@core-infra/context';
import { type ContextFields, RequestContext } from '@core-infra/kernel';
import { eventually } from '@core-infra/testing';
import { Controller } from '@nestjs/common';
import { IsInt } from 'class-validator';
import { defineEvent, EventBus, Subscribe } from '../../src/index.js';
import { bootMessaging } from '../support/boot-messaging.js';

class Count {
  @IsInt() at!: number;
}

const counted = defineEvent('counted', { schema: Count });

describe('a handler in the process of the publisher', () => {
  it('runs in a context of its own, as in another process, and not in that of the request that published', async () => {
    const seen: Partial<ContextFields>[] = [];
    @Controller()
    class Handlers {
      constructor(private readonly context: RequestContext) {}

      @Subscribe(counted, { timeoutMs: 30_000 })
      note(): void {
        const { requestId, correlationId, userId, deadline, signal } = this.context.current!;
        seen.push({ requestId, correlationId, userId, deadline: deadline! - Date.now(), signal });
      }
    }
    Reflect.defineMetadata('design:paramtypes', [RequestContext], Handlers);
    await using app = await bootMessaging({ imports: [ContextModule.forRoot()], controllers: [Handlers] });
    const context = app.get<RequestContext>(RequestContext as never);
    const bus = app.get(EventBus);
    await bus.publish(counted.of({ at: 1 }));
    await eventually(() => expect(seen).toHaveLength(1));
    const request = new AbortController();
    const deadline = Date.now() + 5_000;
    const fields = { requestId: 'r', correlationId: 'c', userId: 'eve', deadline, signal: request.signal };
    await context.run(fields, () => bus.publish(counted.of({ at: 2 }, { id: 'event' })));
    request.abort(new Error('answered'));
    await eventually(() => expect(seen).toHaveLength(2));
    expect(seen[1]).toMatchObject({ requestId: 'event', correlationId: 'c', userId: undefined });
    expect(seen[1]!.deadline).toBeGreaterThan(15_000);
    expect(seen[1]!.signal!.aborted).toBe(false);
  });
});
