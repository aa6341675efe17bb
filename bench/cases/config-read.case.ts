import { ConfigModule } from '@core-infra/config';
import { ConfigSection, Live } from '@core-infra/kernel';
import { Injectable, Module } from '@nestjs/common';
import { ConfigModule as NestConfigModule, ConfigService } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import { IsInt } from 'class-validator';
import type { BenchCase } from '../harness/bench-case.js';
import { type Loop, loopVariant, sink } from '../harness/loop.js';

@ConfigSection('shop')
class ShopConfig {
  /** Orders on a page. @default 20 */
  @IsInt() pageSize: number = 20;
  /** Lines of an order, at most. @default 50 */
  @IsInt() @Live() maxLines: number = 50;
}

@Injectable()
class ByClass {
  constructor(readonly shop: ShopConfig) {}
}

@Injectable()
class ByService {
  constructor(readonly config: ConfigService) {}
}

@Module({
  imports: [ConfigModule.forRoot({ env: {}, argv: [], watch: false }), ConfigModule.forFeature(ShopConfig)],
  providers: [ByClass],
})
class OursModule {}

@Module({
  imports: [NestConfigModule.forRoot({ ignoreEnvFile: true, cache: true, load: [() => ({ shop: { pageSize: 20 } })] })],
  providers: [ByService],
})
class TheirsModule {}

/** A reader among several, so that the read cannot be moved out of the loop. */
const among = <T>(one: T, make: (one: T) => T): readonly T[] => Array.from({ length: 16 }, () => make(one));

export const configRead: BenchCase = {
  name: 'config-read',
  about:
    'Reading one number of the configuration in a service: a field of an injected class, plain or live (it follows reloads), against ' +
    '`ConfigService.get` of @nestjs/config with `cache: true`.',
  rounds: 21,
  metrics: [{ key: 'nsPerCall', label: 'CPU per read', unit: 'ns' }],
  goals: ['injected class', 'injected class, live field'].map(variant => ({
    metric: 'nsPerCall',
    variant,
    against: { variant: 'ConfigService.get', as: 'ratio' as const },
    atMost: 0.1,
  })),
  async open(effort) {
    const options = { logger: false as const, abortOnError: false };
    const ours = await NestFactory.createApplicationContext(OursModule, options);
    const theirs = await NestFactory.createApplicationContext(TheirsModule, options);
    const byClass = among(ours.get(ByClass), ({ shop }) => new ByClass(shop));
    const byService = among(theirs.get(ByService), ({ config }) => new ByService(config));
    const plain: Loop = times => {
      let sum = 0;
      for (let at = 0; at < times; at += 1) sum += byClass[at & 15]!.shop.pageSize;
      sink.value += sum;
    };
    const live: Loop = times => {
      let sum = 0;
      for (let at = 0; at < times; at += 1) sum += byClass[at & 15]!.shop.maxLines;
      sink.value += sum;
    };
    const get: Loop = times => {
      let sum = 0;
      for (let at = 0; at < times; at += 1) sum += byService[at & 15]!.config.get<number>('shop.pageSize')!;
      sink.value += sum;
    };
    return {
      variants: [
        loopVariant('injected class', plain, effort),
        loopVariant('injected class, live field', live, effort),
        loopVariant('ConfigService.get', get, effort),
      ],
      async close() {
        await ours.close();
        await theirs.close();
      },
    };
  },
};
