import { ConfigModule } from '@core-infra/config';
import { ConnectionConfig, defineConcern } from '@core-infra/kernel';
import { bootInfra } from '@core-infra/testing';
import { Module } from '@nestjs/common';
import { IsIn, IsString } from 'class-validator';

const connected: string[] = [];

class Client {}
class ClientConfig extends ConnectionConfig {
  @IsIn(['net']) driver: 'net' = 'net';
  @IsString() host: string = 'localhost';
}
const client = defineConcern({
  name: 'client',
  port: Client,
  config: ClientConfig,
  drivers: { net: ({ host }) => ({ client: new Client(), connect: () => connected.push(host) }) },
});
@Module({})
class ClientModule extends client.ConcernModule {}

describe('configuration that is broken', () => {
  it.each([
    ['a value', { CLIENT_STARTUP: 'perhaps' }, []],
    ['a value of another section', { DEVELOPMENT_DEBUG: 'perhaps' }, []],
    ['a flag', {}, ['--client.hots=elsewhere']],
  ])('lets nothing connect with its defaults: %s', async (_name, env, argv) => {
    const boot = bootInfra(
      ConfigModule.forRoot({ env, argv, directory: 'no-such-folder' }),
      ClientModule.forRootAsync(),
    );
    await expect(boot).rejects.toMatchObject({ code: 'INFRA_CONFIG' });
    expect(connected).toEqual([]);
  });
});
