import { type CanActivate, Controller, type ExecutionContext, Get, Injectable, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ContextModule } from '@core-infra/context';
import { RequestContext } from '@core-infra/kernel';
import { bootHttp, type HttpAdapter, httpAdapters } from '@core-infra/testing';
import { RateLimit, RateLimitGuard, RateLimitModule, type RateLimitOptions } from '../../src/index.js';
import { bootLimited, statuses } from './support.js';

const minute = 60_000;

@Injectable()
class AuthGuard implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const request = execution.switchToHttp().getRequest<{ headers: Record<string, string>; user?: { id: string } }>();
    const id = request.headers['x-user'];
    if (id) request.user = { id };
    return id !== 'nobody';
  }
}

@Controller('users')
class UsersController {
  @Get('late')
  @UseGuards(AuthGuard, RateLimitGuard)
  @RateLimit({ limit: 1, windowMs: minute, by: 'user' })
  @RateLimit({ limit: 4, windowMs: minute, name: 'by-address' })
  late(): string {
    return 'late';
  }

  @Get('early')
  @RateLimit({ limit: 1, windowMs: minute, by: 'user' })
  early(): string {
    return 'early';
  }

  @Get('context')
  @UseGuards(RateLimitGuard)
  @RateLimit({ limit: 1, windowMs: minute, by: 'user' })
  context(): string {
    return 'context';
  }
}

describe.each(httpAdapters)('limits by user on %s', (adapter: HttpAdapter) => {
  const as = (user: string): RequestInit => ({ headers: { 'x-user': user } });

  it('wait for the guards before ours, so that whom these turn away is not counted; others do not wait', async () => {
    await using app = await bootLimited(adapter, UsersController);
    expect(await statuses(app, '/users/late', 2, as('ann'))).toEqual([200, 429]);
    expect(await statuses(app, '/users/late', 1, as('bob'))).toEqual([200]);
    expect(await statuses(app, '/users/late', 2, as('nobody'))).toEqual([403, 429]);
  });

  it('follow a global guard of the app, and go by address where nobody is known', async () => {
    class AppAuthModule {}
    const auth = { module: AppAuthModule, providers: [{ provide: APP_GUARD, useClass: AuthGuard }] };
    class UsersModule {}
    const users = { module: UsersModule, controllers: [UsersController] };
    await using app = await bootHttp(adapter, [auth, RateLimitModule.forRoot(), users]);
    expect(await statuses(app, '/users/early', 2, as('ann'))).toEqual([200, 429]);
    expect(await statuses(app, '/users/early', 2, as('bob'))).toEqual([200, 429]);
    expect(await statuses(app, '/users/early', 2)).toEqual([200, 429]);
  });

  it('take the user of the request context first', async () => {
    @Injectable()
    class ContextGuard implements CanActivate {
      constructor(private readonly context: RequestContext) {}
      canActivate(execution: ExecutionContext): boolean {
        const { headers } = execution.switchToHttp().getRequest<{ headers: Record<string, string> }>();
        this.context.set({ userId: headers['x-user']! });
        return true;
      }
    }
    class AppAuthModule {}
    const auth = { module: AppAuthModule, providers: [{ provide: APP_GUARD, useClass: ContextGuard }] };
    const options: RateLimitOptions = { access: { deny: ['user:eve'], allow: ['user:root'] } };
    await using app = await bootLimited(adapter, UsersController, options, [ContextModule.forRoot(), auth]);
    expect(await statuses(app, '/users/context', 2, as('ann'))).toEqual([200, 429]);
    expect(await statuses(app, '/users/context', 2, as('bob'))).toEqual([200, 429]);
    expect(await statuses(app, '/users/context', 1, as('eve'))).toEqual([403]);
    expect(await statuses(app, '/users/context', 3, as('root'))).toEqual([200, 200, 200]);
  });
});
