import { join } from 'node:path';
import {
  type ArgumentsHost,
  Catch,
  ConflictException,
  Controller,
  type ExceptionFilter,
  Get,
  Module,
  NotFoundException,
} from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost } from '@nestjs/core';
import { catalogue, ConfigError, InfraError } from '@core-infra/kernel';
import { bootHttp, bootInfra, httpAdapters, loadedPackages } from '@core-infra/testing';
import { lastValueFrom, type Observable, throwError } from 'rxjs';
import * as http from '../src/index.js';
import { ApiErrors, HttpConfig, HttpErrorFilter, HttpModule } from '../src/index.js';
import { bootOrders } from './support/orders.app.js';

@Catch(ConflictException)
class OwnFilter implements ExceptionFilter {
  constructor(private readonly host: HttpAdapterHost) {}
  catch(_error: unknown, host: ArgumentsHost): void {
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), { mine: true }, 409);
  }
}

@Catch(NotFoundException)
class MessageFilter implements ExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

@Controller('own')
class OwnController {
  @Get('conflict')
  conflict(): void {
    throw new ConflictException();
  }
  @Get('missing')
  missing(): void {
    throw new NotFoundException();
  }
}

@Controller('health')
class HealthController {
  @Get()
  health(): object {
    return { status: 'ok' };
  }
}

describe.each(httpAdapters)('HttpModule on %s', adapter => {
  it('puts the app behind the prefix, and the library’s own routes beside it', async () => {
    @Module({ controllers: [HealthController] })
    class HealthModule {}
    await using app = await bootOrders(adapter, { prefix: '/v2/' }, { modules: [HealthModule] });
    expect((await app.fetch('/v2/orders')).status).toBe(200);
    expect((await app.fetch('/orders')).status).toBe(404);
    expect(await (await app.fetch('/health')).json()).toEqual({ status: 'ok' });
    await using bare = await bootOrders(adapter, { prefix: '' });
    expect((await bare.fetch('/orders')).status).toBe(200);
    expect((await bare.fetch('/nothing')).status).toBe(404);
  });

  it('leaves the app’s own filters the first word, also when its root module registers them', async () => {
    @Module({
      imports: [HttpModule.forRoot({ docsUrl: '', prefix: '' })],
      controllers: [OwnController],
      providers: [
        { provide: APP_FILTER, useClass: OwnFilter },
        { provide: APP_FILTER, useClass: MessageFilter },
      ],
    })
    class RootModule {}
    await using app = await bootHttp(adapter, RootModule);
    const conflict = await app.fetch('/own/conflict');
    expect([conflict.status, await conflict.json()]).toEqual([409, { mine: true }]);
    const missing = await app.fetch('/own/missing');
    expect([missing.status, await missing.json()]).toEqual([404, expect.objectContaining({ error_code: 'NOT_FOUND' })]);
  });

  it('serves the document and its page, with parameters and errors described', async () => {
    await using app = await bootOrders(adapter, { docsUrl: '/reference/api' });
    const page = await app.fetch('/reference/api');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
    const script = await app.fetch('/reference/api/swagger-ui-bundle.js');
    expect(script.status).toBe(200);
    await script.arrayBuffer();
    const document = (await (await app.fetch('/reference/api-json')).json()) as any;
    const list = document.paths['/api/v1/orders'].get;
    const parameters = Object.fromEntries(list.parameters.map((parameter: any) => [parameter.name, parameter]));
    expect(Object.keys(parameters)).toEqual(
      expect.arrayContaining(['page', 'size', 'sort', 'order', 'after', 'filter[is_active][eq]', 'filter[status][in]']),
    );
    expect(parameters['filter[status][eq]'].schema).toEqual({ type: 'string', enum: ['placed', 'paid'] });
    expect(parameters['page']).toMatchObject({ in: 'query', required: false, schema: { type: 'integer' } });
    expect(list.responses.default.content['application/json'].schema.$ref).toBe('#/components/schemas/ErrorResponse');
    const { responses } = document.paths['/api/v1/orders'].post;
    expect(responses['409']).toEqual({
      description: '`OUT_OF_STOCK`: There is not enough of a product.\n\n`ORDER_TAKEN`: The order is there already.',
      content: list.responses.default.content,
    });
    expect(responses['422'].description).toMatch(
      /^`VALIDATION_ERROR`: [^\n]+\n\n`UNKNOWN_USER`: There is no such user\.$/,
    );
    expect(list.responses['422'].description).toMatch(/^`VALIDATION_ERROR`: [^\n]+$/);
    expect(document.components.schemas.ErrorResponse.required).toContain('error_code');
  });

  it('serves nothing of it when it is off', async () => {
    await using app = await bootOrders(adapter, { docsUrl: '' });
    expect((await app.fetch('/docs')).status).toBe(404);
    expect((await app.fetch('/docs-json')).status).toBe(404);
  });
});

describe('ApiErrors', () => {
  it('refuses a class that states nothing', () => {
    abstract class Bare extends InfraError {}
    expect(() => ApiErrors(Bare)).toThrow('Bare has no @ErrorSpec');
  });
});

describe('HttpModule', () => {
  it('reports configuration that cannot hold, all of it', async () => {
    const error = await bootInfra(
      HttpModule.forRoot({ prefix: 'a b', validation: { status: 418 }, errors: { format: 'xml' as never } }),
    ).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).problems.map(({ key }) => key).sort()).toEqual([
      'http.errors.format',
      'http.prefix',
      'http.validation.status',
    ]);
    await expect(bootInfra(HttpModule.forRoot({ paging: { size: 50, maxSize: 10 } }))).rejects.toThrow(
      'http.paging.size',
    );
  });

  it('boots where nothing serves HTTP, and its configuration can be injected', async () => {
    await using app = await bootInfra(HttpModule.forRootAsync({ useFactory: () => ({ prefix: '/x' }) }));
    expect(app.get(HttpConfig)).toMatchObject({ prefix: '/x', docsUrl: '/docs', validation: { status: 422 } });
  });

  it('keeps the error of a message for its strategy, and hands GraphQL its own', async () => {
    await using app = await bootInfra(HttpModule.forRoot());
    const filter = app.get(HttpErrorFilter, { strict: false });
    const error = new Error('of a message');
    const host = (type: string) => ({ getType: () => type }) as unknown as ArgumentsHost;
    await expect(lastValueFrom(filter.catch(error, host('rpc')) as Observable<never>)).rejects.toBe(error);
    expect(filter.catch(error, host('graphql'))).toBe(error);
  });

  it('loads nothing of OpenAPI where the page is off', async () => {
    const program = join(__dirname, 'fixtures', 'without-docs.main.ts');
    const of = (name: string) => name.includes('swagger') || name === '@fastify/static';
    expect((await loadedPackages(program)).filter(of)).toEqual([]);
    expect((await loadedPackages(program, { DOCS: '/docs' })).filter(of)).toContain('@nestjs/swagger');
  });

  it('states every code once', () => {
    expect(catalogue(http).map(({ code, status }) => [code, status])).toEqual([
      ['NOT_FOUND', 404],
      ['VALIDATION_ERROR', 422],
    ]);
  });
});
