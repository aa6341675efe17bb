import { eventually } from '@core-infra/testing';
import {
  type ArgumentMetadata,
  BadRequestException,
  type CallHandler,
  Catch,
  Controller,
  type ExecutionContext,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { EventBus, type MessageContext } from '../../src/index.js';
import { bootMessaging } from '../support/boot-messaging.js';
import { deadOf, one, options, Order, placed } from './fixtures/placed.js';

describe('what Nest has for handlers', () => {
  it('applies to a plain @EventPattern as well, and by methods: pipes, guards, interceptors and filters', async () => {
    const seen: string[] = [];
    @Catch(RangeError)
    class Filter {
      catch(error: RangeError): never {
        seen.push(`filter ${error.message}`);
        throw new BadRequestException('filtered');
      }
    }
    const guard = {
      canActivate: (context: ExecutionContext) => {
        const { event } = context.switchToRpc().getContext<MessageContext>();
        seen.push(`guard ${event.type}`);
        return (context.switchToRpc().getData<Order>().id as string) !== 'refused';
      },
    };
    const interceptor = {
      intercept: (_context: ExecutionContext, next: CallHandler) => {
        seen.push('interceptor');
        return next.handle();
      },
    };
    @Controller()
    class Handlers {
      @EventPattern('orders.placed')
      @UseGuards(guard)
      @UseInterceptors(interceptor)
      @UseFilters(new Filter())
      @UsePipes({ transform: (value: unknown, { type }: ArgumentMetadata) => (seen.push(`pipe ${type}`), value) })
      handle(@Payload() { id }: Order): void {
        seen.push(`handled ${id}`);
        if (id === 'bad') throw new RangeError('out of range');
      }
    }
    await using app = await bootMessaging({ controllers: [Handlers], options });
    const bus = app.get(EventBus);
    await bus.publish(one);
    await eventually(() => expect(seen).toEqual(['guard orders.placed', 'interceptor', 'pipe body', 'handled a']));
    await bus.publish(placed.of({ id: 'bad', total: 1 }));
    await eventually(() => expect(seen.at(-1)).toBe('filter out of range'));
    await bus.publish(placed.of({ id: 'refused', total: 1 }));
    await eventually(async () => expect(await deadOf(bus)).toHaveLength(2));
    expect(await deadOf(bus)).toMatchObject([
      { reason: 'not-retryable', error: { name: 'BadRequestException', message: 'filtered' }, message: { key: 'bad' } },
      { message: { key: 'refused' } },
    ]);
    expect(seen.filter(text => text === 'handled refused')).toEqual([]);
  });
});
