import { ConnectionConfig, type ConfigInput, defineConcern, Nested } from '@core-infra/kernel';
import { Module } from '@nestjs/common';
import { IsIn, IsInt, IsOptional, IsString } from 'class-validator';

// The type checker is the assertion: each @ts-expect-error is an error of its own once the line compiles.

class TlsConfig {
  @IsOptional() @IsString() ca?: string;
  @IsIn(['require', 'verify']) mode: 'require' | 'verify' = 'require';
}
class TypedConfig extends ConnectionConfig {
  @IsIn(['net']) driver: 'net' = 'net';
  @IsString() host: string = 'localhost';
  @IsInt() port: number = 1;
  @Nested(() => TlsConfig) tls?: TlsConfig;
}
class Typed {
  constructor(readonly config: TypedConfig) {}
}
const typed = defineConcern({
  name: 'typed',
  port: Typed,
  config: TypedConfig,
  drivers: { net: config => ({ client: new Typed(config) }) },
});
@Module({})
class TypedModule extends typed.ConcernModule {}

class Settings {
  readonly host = 'db';
}

describe('what compiles', () => {
  it('is any part of the configuration, by every way of registering it', () => {
    const registered = [
      TypedModule.forRoot(),
      TypedModule.forRoot({ host: 'db', name: 'audit' }),
      TypedModule.forRoot({ tls: { mode: 'verify' } }),
      TypedModule.forRootAsync(),
      TypedModule.forRootAsync({ name: 'audit' }),
      TypedModule.forRootAsync({ inject: [Settings], useFactory: (app: Settings) => ({ host: app.host }) }),
      TypedModule.forRootAsync({ useFactory: async () => ({ tls: { ca: 'x' } }) }),
    ];
    expect(registered).toHaveLength(7);
  });

  it('is no key that the configuration does not have, and no value of another type', () => {
    const wrong = () => [
      // @ts-expect-error an unknown key
      TypedModule.forRoot({ hosst: 'db' }),
      // @ts-expect-error a text for a number
      TypedModule.forRoot({ port: '1' }),
      // @ts-expect-error no driver of this concern
      TypedModule.forRoot({ driver: 'file' }),
      // @ts-expect-error an unknown key in a group
      TypedModule.forRoot({ tls: { mod: 'verify' } }),
      // @ts-expect-error nothing of what the factory gives is known
      TypedModule.forRootAsync({ useFactory: () => ({ hosst: 'db' }) }),
      // @ts-expect-error a number for a text
      TypedModule.forRootAsync({ useFactory: () => ({ host: 1 }) }),
    ];
    expect(wrong).toBeInstanceOf(Function);
  });

  it('is a driver for each name that the configuration has, and no other', () => {
    const wrong = () =>
      defineConcern<TypedConfig, Typed>({
        name: 'typed',
        port: Typed,
        config: TypedConfig,
        // @ts-expect-error the driver "net" is missing
        drivers: {},
      });
    expect(wrong).toBeInstanceOf(Function);
  });

  it('keeps lists and free-form maps whole', () => {
    const input: ConfigInput<{ list: string[]; map: Record<string, string>; maybe?: number }> = {
      list: ['a'],
      map: { a: 'b' },
    };
    expect(input.list).toEqual(['a']);
  });
});
