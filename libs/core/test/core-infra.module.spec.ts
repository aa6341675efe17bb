import { ContextConfig } from '@core-infra/context';
import { CoreInfraModule, ServerConfig, ShutdownConfig } from '@core-infra/core';
import { HealthConfig } from '@core-infra/health';
import { AppInfo, ConfigSource, ConnectionConfig, defineConcern, RequestContext } from '@core-infra/kernel';
import { LoggingConfig } from '@core-infra/logger';
import { bootInfra, loadedPackages } from '@core-infra/testing';
import { Injectable, Module } from '@nestjs/common';
import { IsIn, IsString } from 'class-validator';
import { join } from 'node:path';

class Client {
  constructor(readonly text: string) {}
}
class ClientConfig extends ConnectionConfig {
  @IsIn(['local']) driver: 'local' = 'local';
  @IsString() text: string = 'default';
}
const client = defineConcern({
  name: 'client',
  port: Client,
  config: ClientConfig,
  drivers: { local: ({ text }) => ({ client: new Client(text) }) },
});
@Module({})
class ClientModule extends client.ConcernModule {}

@Injectable()
class Ports {
  readonly http = { port: 8123 };

  create(): { http: { port: number } } {
    return { http: this.http };
  }
}
@Module({ providers: [Ports], exports: [Ports] })
class PortsModule {}

describe('CoreInfraModule', () => {
  it.each([
    ['forRoot', () => CoreInfraModule.forRoot({ http: { port: 8123 } })],
    [
      'useFactory',
      () =>
        CoreInfraModule.forRootAsync({
          imports: [PortsModule],
          inject: [Ports],
          useFactory: async (ports: Ports) => ({ http: ports.http }),
        }),
    ],
    ['useClass', () => CoreInfraModule.forRootAsync({ useClass: Ports })],
    ['useExisting', () => CoreInfraModule.forRootAsync({ imports: [PortsModule], useExisting: Ports })],
  ])('takes values in code by %s, and leaves the rest to their defaults', async (_name, register) => {
    await using app = await bootInfra(register());
    expect(app.get(ServerConfig)).toMatchObject({ port: 8123, keepAliveTimeoutMs: 72_000 });
    expect(app.get(ShutdownConfig)).toMatchObject({ timeoutMs: 25_000 });
  });

  it('hands the foundation its parts of the values in code', async () => {
    await using app = await bootInfra(
      CoreInfraModule.forRoot({
        context: { maxIdLength: 64 },
        logging: { access: { enabled: false } },
        health: { historySize: 7 },
      }),
    );
    expect(app.get(ContextConfig).maxIdLength).toBe(64);
    expect(app.get(LoggingConfig).access).toMatchObject({ enabled: false, slowMs: 1_000 });
    expect(app.get(HealthConfig).historySize).toBe(7);
  });

  it('wires a concern that is handed over as a class, and one that is configured already', async () => {
    await using plain = await bootInfra(CoreInfraModule.forRootAsync({ concerns: [ClientModule] }));
    expect(plain.get(Client).text).toBe('default');
    await using configured = await bootInfra(
      CoreInfraModule.forRootAsync({
        concerns: [ClientModule.forRootAsync({ useFactory: () => ({ text: 'given' }) })],
      }),
    );
    expect(configured.get(Client).text).toBe('given');
  });

  it('brings what the ports stand for', async () => {
    await using app = await bootInfra(CoreInfraModule.forRoot());
    expect(app.get(AppInfo).environment).toBe('test');
    expect(app.get(ConfigSource)).toBeInstanceOf(ConfigSource);
    expect(app.get(RequestContext).run({ requestId: 'r1' }, () => app.get(RequestContext).current?.requestId)).toBe(
      'r1',
    );
  });

  it('refuses what is no concern, naming it', () => {
    class Plain {}
    expect(() => CoreInfraModule.forRoot({ concerns: [Plain as never] })).toThrow('the class Plain as a concern');
  });

  it('is refused as a bare class, and twice in one app', async () => {
    await expect(bootInfra(CoreInfraModule)).rejects.toMatchObject({ code: 'INFRA_BARE_IMPORT' });
    await expect(bootInfra(CoreInfraModule.forRoot(), CoreInfraModule.forRoot())).rejects.toMatchObject({
      code: 'INFRA_DUPLICATE_CONFIG',
    });
  });

  it('refuses an option that does not exist, with the nearest, also from a factory', async () => {
    const expected = { problems: [{ expected: 'a known key (did you mean CoreInfraModule.http?)' }] };
    const options = { htpp: { port: 1 } } as object;
    await expect(bootInfra(CoreInfraModule.forRoot(options))).rejects.toMatchObject(expected);
    await expect(bootInfra(CoreInfraModule.forRootAsync({ useFactory: () => options }))).rejects.toMatchObject(
      expected,
    );
  });

  it('fails with the error of a factory that rejects', async () => {
    const useFactory = () => Promise.reject(new Error('the vault is sealed'));
    await expect(bootInfra(CoreInfraModule.forRootAsync({ useFactory }))).rejects.toThrow('the vault is sealed');
  });

  it('shares a concern that is handed over twice alike, and refuses it otherwise', async () => {
    const concerns = (text: string) => [ClientModule, ClientModule.forRoot({ text })];
    await using app = await bootInfra(CoreInfraModule.forRoot({ concerns: concerns('default') }));
    expect(app.get(Client).text).toBe('default');
    await expect(bootInfra(CoreInfraModule.forRoot({ concerns: concerns('other') }))).rejects.toMatchObject({
      code: 'INFRA_DUPLICATE_CONNECTION',
    });
  });

  it('takes imports without a factory', async () => {
    await using app = await bootInfra(CoreInfraModule.forRootAsync({ imports: [PortsModule] }));
    expect(app.get(Ports)).toBeInstanceOf(Ports);
  });

  it('reports what is wrong in several sections at once, also with values given in code', async () => {
    const error = await bootInfra(
      CoreInfraModule.forRoot({
        http: { port: 70_000 },
        shutdown: { timeoutMs: 0 },
        logging: { level: 'loud' as never },
      }),
    ).then(
      () => [],
      (caught: { problems: { key: string }[] }) => caught.problems.map(({ key }) => key),
    );
    expect(error.toSorted((a, b) => a.localeCompare(b))).toEqual(['http.port', 'logging.level', 'shutdown.timeoutMs']);
  });

  it('refuses a shutdown delay that is longer than the deadline', async () => {
    await expect(bootInfra(CoreInfraModule.forRoot({ shutdown: { delayMs: 30_000 } }))).rejects.toMatchObject({
      code: 'INFRA_CONFIG',
      problems: [{ key: 'shutdown.delayMs', expected: 'less than shutdown.timeoutMs (25000)' }],
    });
  });

  it('loads no client of a concern that is not used', async () => {
    const packages = await loadedPackages(join(__dirname, 'fixtures/plain.ts'), { NODE_ENV: 'production' });
    expect(packages).toEqual(expect.arrayContaining(['@nestjs/core', 'pino']));
    const unused = [
      'typeorm',
      'pg',
      '@nestjs/typeorm',
      '@nestjs/swagger',
      '@nestjs/platform-express',
      'express',
      'fastify',
      'commander',
      'pino-pretty',
    ];
    expect(packages.filter(name => unused.includes(name))).toEqual([]);
  });
});
