import { bootHttp, bootInfra, useRedis } from '@core-infra/testing';
import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  Module,
  type NestInterceptor,
  Param,
  SetMetadata,
  UseInterceptors,
} from '@nestjs/common';
import { map } from 'rxjs';
import { Cache, CachedNotWiredError, CacheEvict, Cached, EvictNothingError, NoCacheKeyError } from '../../src/index.js';
import { caches } from '../support/caches.js';

interface Order {
  id: string;
  read: number;
}

@Injectable()
class Orders {
  reads = 0;

  @Cached({ name: 'orders', key: (id: string) => id, ttlMs: 60_000, tags: (id: string) => [`order-${id}`, 'orders'] })
  async find(id: string): Promise<Order> {
    this.reads += 1;
    if (id === 'broken') throw new RangeError('no such order');
    return Promise.resolve({ id, read: this.reads });
  }

  @Cached()
  async search(filter: { status?: string; tags?: string[] }, page = 1): Promise<string> {
    this.reads += 1;
    return Promise.resolve(`${filter.status} ${page} ${this.reads}`);
  }

  @Cached()
  async since(date: Date): Promise<string> {
    return Promise.resolve(String(date));
  }

  @CacheEvict({ name: 'orders', key: (id: string) => id })
  async pay(id: string, fails = false): Promise<string> {
    if (fails) throw new RangeError('not enough');
    return Promise.resolve(`paid ${id}`);
  }

  @CacheEvict({ name: 'orders', key: (id: string) => id, when: 'before' })
  async fetchAnew(id: string): Promise<Order> {
    return this.find(id);
  }

  @CacheEvict({ name: 'orders', prefix: (customer: string) => `${customer}:` })
  async forget(_customer: string): Promise<void> {
    return Promise.resolve();
  }

  @CacheEvict({ name: 'orders', tags: (id: string) => `order-${id}` })
  @CacheEvict({ name: 'elsewhere', all: true })
  async archive(_id: string): Promise<void> {
    return Promise.resolve();
  }

  @CacheEvict({ name: 'orders', all: true })
  async reset(): Promise<void> {
    return Promise.resolve();
  }
}

abstract class Repository {
  reads = 0;
  abstract readonly table: string;

  @Cached()
  async byId(id: number): Promise<string> {
    this.reads += 1;
    return Promise.resolve(`${this.table} ${id}`);
  }
}

@Injectable()
class Users extends Repository {
  readonly table = 'users';
}

@Injectable()
class Carts extends Repository {
  readonly table = 'carts';
}

@Module({ providers: [Orders, Users, Carts], exports: [Orders, Users, Carts] })
class OrdersModule {}

const redis = useRedis();

describe.each(caches)('@Cached and @CacheEvict on %s', (_, modules) => {
  const boot = () => bootInfra(...modules(redis.url), OrdersModule);

  it('calls the method once for one key', async () => {
    await using app = await boot();
    const orders = app.get(Orders);
    const [first, second] = await Promise.all([orders.find('1'), orders.find('1')]);
    expect(first).toEqual({ id: '1', read: 1 });
    expect(second).toEqual(first);
    expect(await orders.find('2')).toEqual({ id: '2', read: 2 });
    expect(await app.get(Cache).namespace('orders').get('1')).toEqual({ id: '1', read: 1 });
  });

  it('passes the own error of the method on and remembers none', async () => {
    await using app = await boot();
    const orders = app.get(Orders);
    await expect(orders.find('broken')).rejects.toThrow(new RangeError('no such order'));
    await expect(orders.find('broken')).rejects.toBeInstanceOf(RangeError);
    expect(orders.reads).toBe(2);
  });

  it('makes the key of plain arguments, whatever the order of their properties', async () => {
    await using app = await boot();
    const orders = app.get(Orders);
    expect(await orders.search({ status: 'paid', tags: ['a'] })).toBe('paid 1 1');
    expect(await orders.search({ tags: ['a'], status: 'paid' })).toBe('paid 1 1');
    expect(await orders.search({ status: 'paid', tags: ['a'] }, 2)).toBe('paid 2 2');
    expect(await orders.search({ status: 'x'.repeat(500) })).toMatch(/ 1 3$/);
    expect(await orders.search({ status: 'x'.repeat(500) })).toMatch(/ 1 3$/);
    expect(await orders.search({ status: 'x'.repeat(501) })).toMatch(/ 1 4$/);
    expect(await orders.search({ status: 'paid', tags: [] })).toBe('paid 1 5');
    expect(await orders.search({ status: 'paid', tags: Object.assign([] as string[], { length: 1 }) })).toBe(
      'paid 1 6',
    );
  });

  it('says which method and argument make no key', async () => {
    await using app = await boot();
    const refused = app.get(Orders).since(new Date(0));
    await expect(refused).rejects.toBeInstanceOf(NoCacheKeyError);
    await expect(refused).rejects.toThrow(
      'Orders.since is cached by its arguments, and argument 1 contains an instance of Date.',
    );
  });

  it('does not share what a base class declares between the classes that extend it', async () => {
    await using app = await boot();
    expect(await app.get(Users).byId(1)).toBe('users 1');
    expect(await app.get(Carts).byId(1)).toBe('carts 1');
    expect(await app.get(Users).byId(1)).toBe('users 1');
    expect(app.get(Users).reads).toBe(1);
  });

  it('evicts after the method has resolved, and not when it rejects', async () => {
    await using app = await boot();
    const orders = app.get(Orders);
    await orders.find('1');
    await expect(orders.pay('1', true)).rejects.toThrow('not enough');
    expect(await orders.find('1')).toEqual({ id: '1', read: 1 });
    expect(await orders.pay('1')).toBe('paid 1');
    expect(await orders.find('1')).toEqual({ id: '1', read: 2 });
  });

  it('evicts before the method is called', async () => {
    await using app = await boot();
    const orders = app.get(Orders);
    await orders.find('1');
    expect(await orders.fetchAnew('1')).toEqual({ id: '1', read: 2 });
    expect(await orders.find('1')).toEqual({ id: '1', read: 2 });
  });

  it('evicts a prefix, tags in one namespace beside all of another, and everything', async () => {
    await using app = await boot();
    const orders = app.get(Orders);
    for (const id of ['ann:1', 'ann:2', 'bob:1']) await orders.find(id);
    await orders.forget('ann');
    expect((await orders.find('bob:1')).read).toBe(3);
    expect((await orders.find('ann:1')).read).toBe(4);

    const elsewhere = app.get(Cache).namespace('elsewhere');
    await elsewhere.set('x', 1);
    await orders.archive('ann:1');
    expect((await orders.find('ann:1')).read).toBe(5);
    expect((await orders.find('bob:1')).read).toBe(3);
    expect(await elsewhere.get('x')).toBeUndefined();

    await orders.reset();
    expect((await orders.find('bob:1')).read).toBe(6);
  });

  it('leaves name, parameters and metadata of a handler to Nest and its interceptors', async () => {
    class Wrapping implements NestInterceptor {
      intercept(context: ExecutionContext, next: CallHandler) {
        return next
          .handle()
          .pipe(
            map((body: object) => ({ ...body, role: Reflect.getMetadata('role', context.getHandler()) as string })),
          );
      }
    }
    let calls = 0;
    @Controller('orders')
    class OrdersController {
      @Get(':id')
      @UseInterceptors(Wrapping)
      @Cached({ key: (id: string) => id })
      @SetMetadata('role', 'clerk')
      async find(@Param('id') id: string): Promise<object> {
        calls += 1;
        return Promise.resolve({ id });
      }
    }
    @Module({ controllers: [OrdersController] })
    class HandlerModule {}
    await using app = await bootHttp('fastify', [...modules(redis.url), HandlerModule]);
    for (const _request of [1, 2])
      expect(await (await app.fetch('/orders/7')).json()).toEqual({ id: '7', role: 'clerk' });
    expect(calls).toBe(1);
    expect(OrdersController.prototype.find.name).toBe('find');
  });

  it('keeps two apps of one process apart', async () => {
    await using first = await bootInfra(...modules(redis.url), OrdersModule);
    await using second = await bootInfra(...modules(redis.url), OrdersModule);
    await first.get(Orders).find('1');
    expect(await second.get(Orders).find('1')).toEqual({ id: '1', read: 1 });
    expect(second.get(Orders).reads).toBe(1);
  });
});

describe('what cannot work', () => {
  it('is an error at the boot without CacheModule, which names it', async () => {
    await expect(bootInfra(OrdersModule)).rejects.toThrow(/Orders.*import CacheModule/s);
  });

  it('is an error at the call on an object that Nest did not make', async () => {
    await expect(new Orders().find('1')).rejects.toBeInstanceOf(CachedNotWiredError);
  });

  it('is an error at once for an eviction of nothing, and for the compiler where arguments do not fit', () => {
    expect(() => {
      class Nothing {
        @CacheEvict({ name: 'orders' })
        async run(): Promise<void> {
          return Promise.resolve();
        }
      }
      return Nothing;
    }).toThrow(EvictNothingError);

    class Unfit {
      // @ts-expect-error the key takes a number, the method text
      @Cached({ key: (id: number) => String(id) })
      async find(id: string): Promise<string> {
        return Promise.resolve(id);
      }

      // @ts-expect-error only what returns a promise can be cached
      @Cached()
      now(): string {
        return 'now';
      }
    }
    expect(Unfit.prototype.now.name).toBe('now');
  });
});
