import { ModulesContainer, NestFactory } from '@nestjs/core';
import { Module } from '@nestjs/common';
import { ConnectionConfig, defineConcern, KeyParts, resolveConfig } from '@core-infra/kernel';
import { IsIn, IsInt, IsString } from 'class-validator';

const parseAddress = (text: string) => {
  const [host, port] = text.split(':');
  if (!port) throw new Error('host:port');
  return { host, port };
};

@KeyParts('address', parseAddress)
class PeerConfig extends ConnectionConfig {
  @IsIn(['net']) driver: 'net' = 'net';
  @IsString() host: string = 'localhost';
  @IsInt() port: number = 1;
  declare address?: string;
}

const resolve = (given: object) => resolveConfig({ section: 'peer', Config: PeerConfig, given });

describe('a key that carries several fields, given in code', () => {
  it('is taken apart and merges with the fields', () => {
    expect(resolve({ address: 'a:5', critical: false })).toMatchObject({ host: 'a', port: 5, critical: false });
    expect(resolve({ address: 'a:5', port: 5 })).toMatchObject({ host: 'a', port: 5 });
  });

  it('is an error when a field contradicts it, or when it cannot be read', () => {
    expect(() => resolve({ address: 'a:5', host: 'b' })).toThrow(
      /peer\.host.*expected one value, and code \(address\)/,
    );
    expect(() => resolve({ address: 'nonsense' })).toThrow('peer.address (set by code): expected host:port');
  });
});

it('a driver finds what the app declares in the module graph', async () => {
  let seen: ModulesContainer | undefined;
  class Peer {}
  const peer = defineConcern({
    name: 'peer',
    port: Peer,
    config: PeerConfig,
    drivers: {
      net: (_config, { modules }) => {
        seen = modules;
        return { client: new Peer() };
      },
    },
  });
  @Module({})
  class PeerModule extends peer.ConcernModule {}
  @Module({ imports: [PeerModule.forRoot()] })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  expect([...seen!.values()].map(module => module.name)).toContain('AppModule');
  await app.close();
});
