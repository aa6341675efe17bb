import { Global, Injectable, Module, type Type } from '@nestjs/common';
import { IsIn } from 'class-validator';
import { type Check, Clock, ConnectionConfig, defineConcern, type Opened } from '@core-infra/kernel';
import { HealthContributor, type HealthContributorOptions } from '@core-infra/health';
import type { HttpApp, Importable } from '@core-infra/testing';

/** A clock that stands still until it is told to go on. */
export class FakeClock extends Clock {
  private at = Date.parse('2030-01-01T00:00:00Z');

  now(): number {
    return this.at;
  }

  monotonic(): number {
    return this.at;
  }

  advance(ms: number): void {
    this.at += ms;
  }
}

export function clockModule(clock: Clock): Importable {
  @Global()
  @Module({ providers: [{ provide: Clock, useValue: clock }], exports: [Clock] })
  class ClockModule {}
  return ClockModule;
}

/** A module with one provider that is decorated `@HealthContributor`, and how often it was asked. */
export function contributor(name: string, check: Check, options?: HealthContributorOptions) {
  const calls: AbortSignal[] = [];
  @HealthContributor(name, options)
  @Injectable()
  class Contributor {
    check(signal: AbortSignal) {
      calls.push(signal);
      return check(signal);
    }
  }
  Object.defineProperty(Contributor, 'name', { value: `Contributor_${name}` });
  return { module: moduleOf(Contributor), calls };
}

export function moduleOf(...providers: Type<unknown>[]): Importable {
  @Module({ providers, exports: providers })
  class SpecModule {}
  return SpecModule;
}

/** A concern with a connection of its own, as a third party would write it. */
export function concern(name: string, opened: Omit<Partial<Opened<object>>, 'client'>) {
  class Client {}
  class FakeConfig extends ConnectionConfig {
    @IsIn(['fake']) driver: 'fake' = 'fake';
  }
  const defined = defineConcern({
    name,
    port: Client,
    config: FakeConfig,
    drivers: { fake: () => ({ client: new Client(), ...opened }) },
  });
  @Module({})
  class FakeModule extends defined.ConcernModule {}
  return FakeModule;
}

export async function get(app: HttpApp, path: string, init?: RequestInit) {
  const response = await app.fetch(path, init);
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text ? (JSON.parse(text) as any) : undefined,
  };
}

export const hang: Check = () => new Promise(() => undefined);
