import { setTimeout as sleep } from 'node:timers/promises';
import { type CanActivate, Controller, Get, Injectable, Logger, Module, Param, UseGuards } from '@nestjs/common';
import { ContextModule } from '@core-infra/context';
import { RequestContext } from '@core-infra/kernel';
import { AppLogger, LoggerModule, LogRoot, NestLogger } from '@core-infra/logger';
import { bootHttp, eventually, httpAdapters } from '@core-infra/testing';
import { useLogFolder } from '../log-folder.js';

@Injectable()
class Authenticate implements CanActivate {
  constructor(private readonly context: RequestContext) {}
  canActivate(): boolean {
    this.context.set({ userId: `user of ${this.context.current!.requestId}` });
    return true;
  }
}

@Controller()
class Shop {
  private readonly nest = new Logger('Shop');
  constructor(private readonly logger: AppLogger) {}

  @Get('orders/:id')
  @UseGuards(Authenticate)
  async find(@Param('id') id: string) {
    this.logger.info('first', { id });
    await sleep(Math.random() * 5);
    this.nest.log('second', { id });
    return {};
  }
}
@Module({ controllers: [Shop] })
class ShopModule {}

describe.each(httpAdapters)('context and logger together on %s', adapter => {
  const folder = useLogFolder();

  it.each(['context first', 'logger first'])('have the ids of its own request on each line (%s)', async order => {
    const logger = LoggerModule.forRoot({ output: 'file', filePath: folder.file(), format: 'json', level: 'info' });
    const context = ContextModule.forRoot();
    const modules = order === 'context first' ? [context, logger] : [logger, context];
    await using app = await bootHttp(adapter, [...modules, ShopModule], {
      setUp: created => created.useLogger(created.get(NestLogger)),
    });
    const ids = Array.from({ length: 50 }, (_, index) => `r-${index}`);
    await Promise.all(ids.map(id => app.fetch(`/orders/${id}`, { headers: { 'x-request-id': id } })));
    const lines = await eventually(() => {
      app.get(LogRoot).flushSync();
      const found = folder.lines().filter(line => line.request_id !== undefined);
      expect(found).toHaveLength(150);
      return found;
    });
    for (const line of lines) {
      const id = (line.id ?? line.path?.split('/').at(-1)) as string;
      expect(line).toMatchObject({ request_id: id, correlation_id: id, user_id: `user of ${id}` });
    }
    expect(new Set(lines.map(line => line.msg))).toEqual(new Set(['first', 'second', 'request']));
    Logger.overrideLogger(false);
  });
});
