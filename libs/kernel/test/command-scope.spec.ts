import { type Abortable, bootScope, ConnectionConfig, defineConcern, openForCommand } from '@core-infra/kernel';
import { eventually } from '@core-infra/testing';
import { Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IsIn } from 'class-validator';

abstract class Store {
  abstract readonly on: unknown;
}
abstract class Server {}
abstract class Other {}

/** An app of three connections, one of which stands on another, and of a provider that needs the third. */
function shop() {
  const seen: string[] = [];
  const steps = (name: string) => ({
    connect: () => void seen.push(`connect ${name}`),
    close: () => void seen.push(`close ${name}`),
  });
  class Config extends ConnectionConfig {
    @IsIn(['only']) driver: 'only' = 'only';
  }
  const server = defineConcern({
    name: 'server',
    port: Server,
    config: Config,
    drivers: { only: () => ({ client: {}, ...steps('server') }) },
  });
  const other = defineConcern({
    name: 'other',
    port: Other,
    config: Config,
    drivers: {
      only: () => {
        seen.push('construct other');
        return { client: {}, ...steps('other') };
      },
    },
  });
  const store = defineConcern<Config, Store>({
    name: 'store',
    port: Store,
    config: Config,
    upstreams: { only: 'server' },
    drivers: { only: (_config, at) => ({ client: { on: at.upstream<Server>() }, ...steps('store') }) },
  });
  @Module({})
  class ServerModule extends server.ConcernModule {}
  @Module({})
  class OtherModule extends other.ConcernModule {}
  @Module({})
  class StoreModule extends store.ConcernModule {}

  @Injectable()
  class NeedsOther implements OnApplicationBootstrap {
    constructor(_other: Other) {}

    onApplicationBootstrap() {
      seen.push('bootstrap hook');
    }
  }
  @Module({
    imports: [
      OtherModule.forRoot(),
      ServerModule.forRoot(),
      StoreModule.forRoot(),
      StoreModule.forRoot({ name: 'second' }),
    ],
    providers: [NeedsOther],
  })
  class AppModule {}
  const boot = () => NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  return { seen, boot };
}

describe('openForCommand', () => {
  it('opens one connection and what it stands on, and closes both afterwards', async () => {
    const { seen, boot } = shop();
    const request = { connection: 'store', upstreams: ['server'] };
    const result = await openForCommand<Store, string>(boot, request, async ({ on }) => {
      seen.push('work');
      return typeof on;
    });
    expect(result).toBe('object');
    expect(seen).toEqual(['connect server', 'connect store', 'work', 'close store', 'close server']);
  });

  it('opens that one connection of its concern, and no other', async () => {
    const { seen, boot } = shop();
    const request = { connection: 'store:second', upstreams: ['server'] };
    await openForCommand(boot, request, async () => void seen.push('work'));
    expect(seen).toEqual(['connect server', 'connect store', 'work', 'close store', 'close server']);
  });

  it('rejects with what the work rejects with, after everything is closed', async () => {
    const { seen, boot } = shop();
    const request = { connection: 'store', upstreams: ['server'] };
    await expect(openForCommand(boot, request, () => Promise.reject(new Error('no such flag')))).rejects.toThrow(
      'no such flag',
    );
    expect(seen.slice(-2)).toEqual(['close store', 'close server']);
  });

  it('rejects with what ends the boot before the connection is there', async () => {
    const boot = () => Promise.reject(new Error('a wrong setting'));
    await expect(openForCommand(boot, { connection: 'store' }, async () => 1)).rejects.toThrow('a wrong setting');
  });

  it('leaves it to the work to tell of a server that is away, which is told once then', async () => {
    class AwayConfig extends ConnectionConfig {
      @IsIn(['only']) driver: 'only' = 'only';
      override startup: 'require' | 'background' = 'background';
    }
    const away = defineConcern({
      name: 'away',
      port: Other,
      config: AwayConfig,
      drivers: { only: () => ({ client: {}, connect: () => Promise.reject(new Error('no route to it')) }) },
    });
    @Module({})
    class AwayModule extends away.ConcernModule {}
    @Module({ imports: [AwayModule.forRoot()] })
    class AppModule {}
    const lines: string[] = [];
    const log = (line: unknown) => void lines.push(String(line));
    const logger = { log, error: log, warn: log, fatal: log };
    const boot = () => NestFactory.createApplicationContext(AppModule, { logger, abortOnError: false });
    const told = () => lines.filter(line => line.includes('no route to it'));
    await openForCommand(boot, { connection: 'away' }, () => new Promise(setImmediate));
    expect(told()).toEqual([]);
    const app = await boot();
    await eventually(() => expect(told()).toEqual([expect.stringContaining('away is not reachable yet')]));
    await app.close();
  });

  it('opens several for work that needs them, whichever is there first', async () => {
    for (const [connection, also] of [
      ['store', 'other'],
      ['other', 'store'],
    ] as const) {
      const { seen, boot } = shop();
      const result = await openForCommand<object, readonly boolean[]>(
        boot,
        { connection, also: [also], upstreams: ['server'] },
        async (...clients) => {
          seen.push('work');
          return clients.map(client => 'on' in (client as object));
        },
      );
      expect(result).toEqual([connection === 'store', connection === 'other']);
      expect(seen.slice(-4)).toEqual(['work', 'close other', 'close store', 'close server']);
      expect(seen).not.toContain('bootstrap hook');
      expect(seen.filter(step => step.startsWith('connect'))).toHaveLength(3);
    }
  });

  it('fails before its work when what it needs connected is away', async () => {
    class AwayConfig extends ConnectionConfig {
      @IsIn(['only']) driver: 'only' = 'only';
      override startup: 'require' | 'background' = 'background';
      override connectTimeoutMs: number = 50;
    }
    const away = defineConcern({
      name: 'away',
      port: Other,
      config: AwayConfig,
      drivers: { only: () => ({ client: {}, connect: () => Promise.reject(new Error('no route to it')) }) },
    });
    @Module({})
    class AwayModule extends away.ConcernModule {}
    @Module({ imports: [AwayModule.forRoot()] })
    class AppModule {}
    const boot = () => NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    const work = jest.fn();
    await expect(openForCommand(boot, { connection: 'away', connected: true }, work)).rejects.toThrow('no route to it');
    expect(work).not.toHaveBeenCalled();
  });

  it('changes nothing for an app that is booted as a whole', async () => {
    const { seen, boot } = shop();
    const opened = new Set<Abortable>();
    const app = await bootScope.run(opened, boot);
    expect(seen).toContain('bootstrap hook');
    await app.close();
    expect(seen.filter(step => step.startsWith('close'))).toHaveLength(4);
  });
});
