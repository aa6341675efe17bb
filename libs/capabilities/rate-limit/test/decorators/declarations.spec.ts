import { Controller, Get, Injectable, type Type } from '@nestjs/common';
import { bootHttp, bootInfra } from '@core-infra/testing';
import {
  LimitDeclarationError,
  type LimitOptions,
  RateLimit,
  type RateLimitDecision,
  rateLimitDecisions,
  RateLimitModule,
} from '../../src/index.js';
import { statuses } from '../http/support.js';

async function problemsOf(parts: { controllers?: Type[]; providers?: Type[] }): Promise<readonly string[]> {
  class FeatureModule {}
  const app = bootInfra(RateLimitModule.forRoot(), { module: FeatureModule, ...parts });
  const error: unknown = await app.then(
    async booted => booted.close(),
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(LimitDeclarationError);
  return (error as LimitDeclarationError).problems;
}

function controllerWith(options: LimitOptions): Type {
  @Controller()
  class LoginController {
    @Get()
    @RateLimit(options)
    login(): void {
      return;
    }
  }
  return LoginController;
}

const minute = 60_000;

describe('limits that cannot be', () => {
  it.each<[object, RegExp]>([
    [{ limit: 0, windowMs: minute }, /windows\[0\]\.limit = 0, where a whole number of at least 1/],
    [{ limit: 1.5, windowMs: minute }, /windows\[0\]\.limit = 1\.5/],
    [{ limit: '5', windowMs: minute }, /windows\[0\]\.limit = "5"/],
    [{ limit: 5 }, /windows\[0\]\.windowMs = undefined/],
    [{ limit: 5, windowMs: -1 }, /windows\[0\]\.windowMs = -1/],
    [{}, /windows = \[\]/],
    [
      {
        windows: [
          { limit: 1, windowMs: 10 },
          { limit: 2, windowMs: 10 },
        ],
      },
      /windows\[1\]\.windowMs = 10, where a length that no other/,
    ],
    [
      { limit: 5, windowMs: minute, by: 'session' },
      /by may be ip, user, api-key, everyone or a function here, and is "session"/,
    ],
    [{ limit: 5, windowMs: minute, cost: -1 }, /cost must be a number of at least 0 or a function, and is -1/],
    [{ limit: 5, windowMs: minute, cost: 6 }, /cost is 6, above the limit of 5: no call would ever pass/],
    [{ limit: 5, windowMs: minute, name: 'log in' }, /name must be 1 to 64 letters.*"log in"/],
    [{ limit: 5, windowMs: minute, name: 'default' }, /name may not be "default"/],
    [{ limit: 5, windowMs: minute, onFailure: 'maybe' }, /onFailure = "maybe"/],
    [{ limit: 5, windowMs: minute, skipIf: true }, /skipIf must be a function, and is true/],
  ])('%j is refused at boot, with its place', async (options, problem) => {
    const [found] = await problemsOf({ controllers: [controllerWith(options as LimitOptions)] });
    expect(found).toMatch(/^LoginController\.login: /);
    expect(found).toMatch(problem);
  });

  it('are told all at once', async () => {
    @Controller()
    @RateLimit({ limit: 0, windowMs: minute })
    class OneController {
      @Get()
      @RateLimit(false)
      @RateLimit({ limit: 1, windowMs: minute })
      get(): void {
        return;
      }
    }
    @Injectable()
    @RateLimit({ limit: 1, windowMs: minute })
    class WholeService {
      @RateLimit({ limit: 1, windowMs: minute, by: 'ip' })
      async work(): Promise<void> {
        return;
      }
      @RateLimit({ limit: 1, windowMs: minute })
      now(): number {
        return 1;
      }
    }
    const problems = await problemsOf({ controllers: [OneController], providers: [WholeService] });
    expect(problems).toEqual([
      expect.stringMatching(/^OneController: .*windows\[0\]\.limit = 0/),
      'OneController.get: it states limits and that there are none',
      'WholeService: a class without handlers has its limits on its methods',
      'WholeService.work: by may be user, everyone or a function here, and is "ip"',
      'WholeService.now: it returns Number, and a method of a service that is limited must return a promise',
    ]);
  });

  it('of one name say the same everywhere', async () => {
    @Controller()
    class OneController {
      @Get()
      @RateLimit({ limit: 5, windowMs: minute, name: 'login' })
      one(): void {
        return;
      }
    }
    @Controller()
    class TwoController {
      @Get()
      @RateLimit({ limit: 6, windowMs: minute, name: 'login' })
      two(): void {
        return;
      }
    }
    expect(await problemsOf({ controllers: [OneController, TwoController] })).toEqual([
      'TwoController.two: its limit "login" says 6 per 60000 ms, and the one of OneController.one says 5 per 60000 ms',
    ]);
  });
});

describe('limits of one caller', () => {
  @Controller()
  class StackController {
    @Get('together')
    @RateLimit({ limit: 10, windowMs: 1_000 })
    @RateLimit({ limit: 1_000, windowMs: 3_600_000 })
    @RateLimit({ limit: 5_000, windowMs: 86_400_000, name: 'daily' })
    together(): void {
      return;
    }
    @Get('apart')
    @RateLimit({ limit: 10, windowMs: 1_000 })
    @RateLimit({ limit: 10, windowMs: 1_000, by: 'everyone' })
    apart(): void {
      return;
    }
    @Get('shared')
    @RateLimit({ limit: 2, windowMs: minute, name: 'shared' })
    @RateLimit({ limit: 1_000, windowMs: 3_600_000 })
    shared(): void {
      return;
    }
    @Get('other')
    @RateLimit({ limit: 2, windowMs: minute, name: 'shared' })
    other(): void {
      return;
    }
  }
  class StackModule {}
  const stack = { module: StackModule, controllers: [StackController] };

  async function decisionsOf(path: string): Promise<string[]> {
    await using app = await bootHttp('fastify', [RateLimitModule.forRoot(), stack]);
    const found: string[] = [];
    const listen = (message: unknown): void => void found.push((message as RateLimitDecision).limit);
    rateLimitDecisions.subscribe(listen);
    await app.fetch(path);
    rateLimitDecisions.unsubscribe(listen);
    return found;
  }

  it('are one decision, and so one round trip', async () => {
    expect(await decisionsOf('/together')).toEqual(['StackController.together/daily']);
  });

  it('are decided one after another where callers differ', async () => {
    expect(await decisionsOf('/apart')).toEqual(['StackController.apart', 'StackController.apart:2']);
  });

  it('stay apart where another place shares one of them, so that it is one there too', async () => {
    expect(await decisionsOf('/shared')).toEqual(['shared', 'StackController.shared']);
    await using app = await bootHttp('fastify', [RateLimitModule.forRoot(), stack]);
    expect(await statuses(app, '/shared', 1)).toEqual([200]);
    expect(await statuses(app, '/other', 2)).toEqual([200, 429]);
  });
});

describe('controllers of one name', () => {
  it('have limits of their own', async () => {
    const [one, two] = [1, 2].map(version => {
      @Controller(`v${version}`)
      class OrdersController {
        @Get()
        @RateLimit({ limit: version, windowMs: minute })
        list(): void {
          return;
        }
      }
      return OrdersController as Type;
    });
    class OrdersModule {}
    const orders = { module: OrdersModule, controllers: [one!, two!] };
    await using app = await bootHttp('express', [RateLimitModule.forRoot(), orders]);
    expect(await statuses(app, '/v1', 2)).toEqual([200, 429]);
    expect(await statuses(app, '/v2', 3)).toEqual([200, 200, 429]);
  });
});
