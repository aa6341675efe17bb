import {
  BadRequestException,
  Body,
  Controller,
  Get,
  Header,
  HttpException,
  type INestApplication,
  Injectable,
  Module,
  NotFoundException,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import { Type } from 'class-transformer';
import { ArrayNotEmpty, IsInt, IsOptional, IsString, Min, ValidateNested } from 'class-validator';
import { AppInfo, ErrorSpec, InfraError } from '@core-infra/kernel';
import { bootHttp, type HttpAdapter, type HttpApp } from '@core-infra/testing';
import {
  ApiErrors,
  configureHttp,
  createErrorResponse,
  HttpModule,
  Page,
  PageQuery,
  ResourceNotFoundError,
} from '../../src/index.js';

@ErrorSpec({ code: 'OUT_OF_STOCK', status: 409, fault: 'client', summary: 'There is not enough of a product.' })
export class OutOfStockError extends InfraError {
  readonly inStock = 2n;
  readonly parts = { left: ['a'] };
  readonly loop: object = {};

  constructor(readonly productId: string) {
    super('Not enough in stock', 'Order less.');
    (this.loop as { self?: object }).self = this.loop;
  }
}

@ErrorSpec({
  code: 'INFRA_STORE_AWAY',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'The store is away.',
})
export class StoreAwayError extends InfraError {
  constructor(
    readonly address: string,
    readonly retryAfterMs?: number,
  ) {
    super(`The store at ${address} is away.`);
  }
}

@ErrorSpec({ code: 'UNKNOWN_USER', status: 422, fault: 'client', summary: 'There is no such user.' })
class UnknownUserError extends InfraError {}

@ErrorSpec({ code: 'ORDER_TAKEN', status: 409, fault: 'client', summary: 'The order is there already.' })
class OrderTakenError extends InfraError {}

class Line {
  @IsString() sku!: string;
  @IsInt() @Min(1, { message: 'must be a positive integer' }) quantity!: number;
}

class NewOrder {
  @IsOptional() @IsString() note?: string;
  @ArrayNotEmpty() @ValidateNested({ each: true }) @Type(() => Line) lines!: Line[];
}

class Search {
  @IsOptional() @IsInt() @Type(() => Number) limit?: number;
}

const fail = (error: Error) => {
  throw error;
};

const errors: Record<string, () => unknown> = {
  infra: () => fail(new OutOfStockError('p1')),
  missing: () => fail(new ResourceNotFoundError('User', 7)),
  away: () => fail(new StoreAwayError('10.0.0.7:5432')),
  later: () => fail(new StoreAwayError('10.0.0.7:5432', 2_500)),
  refused: () => fail(Object.assign(new Error('connect 10.0.0.7'), { code: 'ECONNREFUSED' })),
  unknown: () => fail(new TypeError('secret of the house', { cause: new Error('deep secret') })),
  text: () => {
    throw 'no error at all'; // oxlint-disable-line typescript/only-throw-error -- whatever JavaScript can throw is answered
  },
  nest: () => fail(new NotFoundException('No such thing')),
  coded: () => fail(new HttpException('Pay first', 402, { errorCode: 'UNPAID' })),
  list: () => fail(new BadRequestException(['a must be b', 'c must be d'])),
  body: () => fail(new HttpException({ message: 'Odd', reason: 'odd', since: 3 }, 418)),
  built: () => createErrorResponse({ message: 'Gone for good', errorCode: 'GONE', statusCode: 410, details: { a: 1 } }),
  thrown: () => fail(createErrorResponse({ message: 'Not yet', statusCode: 425 }) as unknown as Error),
};

@Controller('orders')
class OrdersController {
  @Get('fail')
  fail(@Query('with') name: string): unknown {
    return errors[name]!();
  }

  @Get('report')
  @Header('Content-Type', 'text/csv')
  @Header('Cache-Control', 'public, max-age=3600')
  report(): unknown {
    return fail(new OutOfStockError('p2'));
  }

  @Get('half')
  half(@Res() response: { raw?: unknown; write(text: string): void }): void {
    const raw = (response.raw ?? response) as typeof response & { writeHead(status: number): void };
    raw.writeHead(200);
    raw.write('the first half');
    fail(new Error('and no more'));
  }

  @Get('whole')
  async whole(@Res() response: { send(body: unknown): void }): Promise<void> {
    response.send({ whole: true });
    await new Promise(resolve => setImmediate(resolve));
    fail(new Error('after the answer'));
  }

  @Post()
  @ApiErrors(OutOfStockError, UnknownUserError, OrderTakenError)
  create(@Body() order: NewOrder): unknown {
    return { order, isLine: order.lines[0] instanceof Line };
  }

  @Get('search')
  search(@Query() query: Search): unknown {
    return query;
  }

  @Get()
  list(
    @Page({
      sort: ['created_at', 'total'],
      defaultOrder: 'desc',
      cursor: true,
      filter: {
        is_active: 'boolean',
        total: 'integer',
        status: ['placed', 'paid'],
        note: 'string',
        created_at: 'date',
      },
    })
    query: PageQuery,
  ): unknown {
    return { ...query, offset: query.offset };
  }

  @Get('unlisted')
  unlisted(@Page() query: PageQuery): unknown {
    return query;
  }
}

@Injectable()
class Info extends AppInfo {
  readonly name = 'orders';
  readonly version = '1.2.3';
  readonly instance = 'one';
  readonly environment = 'test';
  readonly debug = true;
}

@Module({ providers: [{ provide: AppInfo, useClass: Info }], exports: [AppInfo] })
class InfoModule {}

/** Makes `AppInfo` say `debug`. */
export const debugInfo = { module: InfoModule, global: true };

@Module({ controllers: [OrdersController] })
export class OrdersModule {}

export type HttpInput = NonNullable<Parameters<typeof HttpModule.forRoot>[0]>;

export function bootOrders(
  adapter: HttpAdapter,
  options: HttpInput = {},
  { modules = [], setUp }: { modules?: Parameters<typeof bootHttp>[1][]; setUp?: (app: INestApplication) => void } = {},
): Promise<HttpApp> {
  const imports = [HttpModule.forRoot({ docsUrl: '', ...options }), OrdersModule, ...modules.flat()];
  return bootHttp(adapter, imports, {
    setUp: async app => {
      setUp?.(app);
      await configureHttp(app);
    },
  });
}
