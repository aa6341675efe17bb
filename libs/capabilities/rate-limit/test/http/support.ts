import type { Type } from '@nestjs/common';
import { bootHttp, type HttpAdapter, type HttpApp, type Importable } from '@core-infra/testing';
import { RateLimitModule, type RateLimitOptions } from '../../src/index.js';

/** An app of one controller, behind the limiter. */
export function bootLimited(
  adapter: HttpAdapter,
  controllers: Type | Type[],
  options: RateLimitOptions = {},
  more: Importable[] = [],
): Promise<HttpApp> {
  class FeatureModule {}
  const feature = { module: FeatureModule, controllers: [controllers].flat() };
  return bootHttp(adapter, [RateLimitModule.forRoot(options), ...more, feature]);
}

/** A member of a list of RFC 9651: a string, with integers for parameters. */
export interface Item {
  readonly value: string;
  readonly [parameter: string]: string | number;
}

/** Reads a list of strings with parameters, by the grammar of RFC 9651 as far as the draft makes use of it; throws for anything else. */
export function structuredList(field: string | null): Item[] {
  if (field === null) throw new Error('There is no such field.');
  let rest = field;
  const take = (pattern: RegExp): string => {
    const found = pattern.exec(rest);
    if (found?.index !== 0) throw new Error(`${pattern.source} is expected at "${rest}"`);
    rest = rest.slice(found[0].length);
    return found[1] ?? found[0];
  };
  const items: Item[] = [];
  do {
    const item: Record<string, string | number> = { value: take(/"((?:[ !#-[\]-~]|\\["\\])*)"/) };
    while (rest.startsWith(';')) {
      const key = take(/; *([a-z*][a-z0-9_.*-]*)/);
      take(/=/);
      item[key] = Number(take(/-?\d{1,15}(?![\d.])/));
    }
    items.push(item as Item);
  } while (rest !== '' && take(/[ \t]*,[ \t]*/) !== '');
  return items;
}

export async function statuses(app: HttpApp, path: string, count: number, init?: RequestInit): Promise<number[]> {
  const found: number[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    const answer = await app.fetch(path, init);
    await answer.arrayBuffer();
    found.push(answer.status);
  }
  return found;
}
