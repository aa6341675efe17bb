import { RequestContext } from '@core-infra/kernel';
import {
  type CallHandler,
  ClassSerializerInterceptor,
  Controller,
  type ExecutionContext,
  Get,
  Global,
  Header,
  HttpCode,
  Module,
  type NestInterceptor,
  NotFoundException,
  Param,
  Post,
  Query,
  Res,
  Sse,
  StreamableFile,
  UseGuards,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { Exclude } from 'class-transformer';
import { AsyncLocalStorage } from 'node:async_hooks';
import { from, map, type Observable } from 'rxjs';
import { CacheResponse } from '../../src/index.js';

interface AnyResponse {
  header(name: string, value: string): unknown;
}

class User {
  name: string = 'Ann';

  @Exclude()
  password: string = 'hunter2';
}

/** How often a handler was called; a spec begins at none. */
export const served = { calls: 0 };

/** What guards of an app do: they say who it is. */
class Login {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string | undefined> }>();
    users.enterWith(request.headers.authorization);
    return request.headers.authorization !== 'banned';
  }
}

const users = new AsyncLocalStorage<string | undefined>();

@Global()
@Module({
  providers: [
    {
      provide: RequestContext,
      useValue: {
        get current() {
          return { requestId: 'r', correlationId: 'c', userId: users.getStore() };
        },
        set: () => undefined,
        run: (_fields: unknown, work: () => unknown) => work(),
      },
    },
  ],
  exports: [RequestContext],
})
export class UsersModule {}

@Controller('shop')
class ShopController {
  @Get('items/:id')
  @CacheResponse({ ttlMs: 60_000, staleWhileRevalidateMs: 5_000 })
  item(@Param('id') id: string, @Query() query: object): object {
    served.calls += 1;
    return { id, calls: served.calls, query };
  }

  @Get('list')
  @CacheResponse({ ttlMs: 60_000, query: ['page'] })
  list(@Query('page') page: string): object {
    served.calls += 1;
    return { page, calls: served.calls };
  }

  @Get('mine')
  @UseGuards(Login)
  @CacheResponse({ ttlMs: 60_000, varyBy: ['user'] })
  mine(): object {
    served.calls += 1;
    return { user: users.getStore() ?? 'nobody', calls: served.calls };
  }

  @Get('texts')
  @CacheResponse({
    ttlMs: 60_000,
    varyBy: [{ header: 'Accept-Language' }],
    sameForAll: true,
    etag: 'strong',
    maxAgeMs: 0,
  })
  @Header('Content-Type', 'text/csv; charset=utf-8')
  texts(@Res({ passthrough: true }) response: AnyResponse): string {
    served.calls += 1;
    response.header('X-Rows', '2');
    return `a,b\n${served.calls},2`;
  }

  @Get('bytes')
  @CacheResponse({ ttlMs: 60_000 })
  @Header('Content-Type', 'application/octet-stream')
  bytes(): Buffer {
    served.calls += 1;
    return Buffer.from([0, 255, served.calls]);
  }

  @Get('user')
  @CacheResponse({ ttlMs: 60_000 })
  user(): User {
    served.calls += 1;
    return new User();
  }

  @Get('fails')
  @CacheResponse({ ttlMs: 60_000 })
  fails(): object {
    served.calls += 1;
    throw new NotFoundException();
  }

  @Get('accepted')
  @HttpCode(202)
  @CacheResponse({ ttlMs: 60_000 })
  accepted(): object {
    served.calls += 1;
    return { calls: served.calls };
  }

  @Get('cookie')
  @CacheResponse({ ttlMs: 60_000 })
  cookie(@Res({ passthrough: true }) response: AnyResponse): object {
    served.calls += 1;
    response.header('Set-Cookie', 'sid=1');
    return { calls: served.calls };
  }

  @Get('own')
  @CacheResponse({ ttlMs: 60_000 })
  @Header('Cache-Control', 'no-store')
  own(): object {
    served.calls += 1;
    return { calls: served.calls };
  }

  @Get('stream')
  @CacheResponse({ ttlMs: 60_000 })
  stream(): StreamableFile {
    served.calls += 1;
    return new StreamableFile(Buffer.from(`stream ${served.calls}`));
  }

  @Sse('events')
  @CacheResponse({ ttlMs: 60_000 })
  events(): Observable<object> {
    served.calls += 1;
    return from([{ data: 'one' }, { data: `two ${served.calls}` }]);
  }

  @Get('short')
  @CacheResponse({ ttlMs: 1 })
  short(): object {
    served.calls += 1;
    return { calls: served.calls };
  }

  @Get('tagged')
  @CacheResponse({ ttlMs: 60_000, tags: ['shop'] })
  tagged(): object {
    served.calls += 1;
    return { calls: served.calls };
  }

  @Post('items/:id')
  @CacheResponse({ ttlMs: 60_000 })
  post(): object {
    served.calls += 1;
    return { calls: served.calls };
  }
}

/** Such as every second app has, and which would wrap what it has wrapped before. */
class Enveloped implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    if (context.getHandler().name !== 'item') return next.handle();
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

@Module({
  controllers: [ShopController],
  providers: [
    { provide: APP_INTERCEPTOR, useClass: ClassSerializerInterceptor },
    { provide: APP_INTERCEPTOR, useClass: Enveloped },
  ],
})
export class ShopModule {}
