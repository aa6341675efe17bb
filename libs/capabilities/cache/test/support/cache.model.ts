import * as fc from 'fast-check';
import { Module } from '@nestjs/common';
import { Clock } from '@core-infra/kernel';
import { type InfraApp, type Importable, uniqueName } from '@core-infra/testing';
import { Cache } from '../../src/index.js';
import { HandClock } from './hand-clock.js';

interface Kept {
  value: number | null;
  until: number;
  tags: readonly string[];
}

/** What a cache is, without any of what makes it fast. */
interface Model {
  now: number;
  spaces: Map<string, Map<string, Kept>>;
}

interface Real {
  clock: HandClock;
  spaces: Map<string, Cache>;
}

type Command = fc.AsyncCommand<Model, Real>;

const spaceNames = ['outer', 'outer/inner', 'aside'];
const space = fc.constantFrom(...spaceNames);
const key = fc.constantFrom('a', 'ab', 'abc', 'b', 'user:1', 'user:2');
const tag = fc.constantFrom('red', 'blue', 'green');
const value = fc.oneof(fc.integer(), fc.constant(null));
const ttlMs = fc.constantFrom<number | 'forever'>(10, 1_000, 'forever');

const live = (model: Model, name: string, of: string): Kept | undefined => {
  const kept = model.spaces.get(name)!.get(of);
  return kept && model.now < kept.until ? kept : undefined;
};

/** A command by what it does to the model and to the cache; its answers are compared. */
function command(text: string, onModel: (model: Model) => unknown, onReal: (real: Real) => unknown): Command {
  return {
    check: () => true,
    run: async (model, real) => {
      const expected = onModel(model);
      expect({ text, answer: await onReal(real) }).toEqual({ text, answer: expected });
    },
    toString: () => text,
  };
}

const endOf = (model: Model, ttl: number | 'forever') => (ttl === 'forever' ? Infinity : model.now + ttl);

const commands: fc.Arbitrary<Command>[] = [
  fc.tuple(space, key, value, ttlMs, fc.uniqueArray(tag, { maxLength: 2 })).map(([name, of, given, ttl, tags]) =>
    command(
      `set ${name} ${of} ${given} ${ttl} [${tags.join()}]`,
      model => void model.spaces.get(name)!.set(of, { value: given, until: endOf(model, ttl), tags }),
      real => real.spaces.get(name)!.set(of, given, { ttlMs: ttl, tags }),
    ),
  ),
  fc.tuple(space, key).map(([name, of]) =>
    command(
      `get ${name} ${of}`,
      model => live(model, name, of)?.value,
      real => real.spaces.get(name)!.get(of),
    ),
  ),
  fc.tuple(space, key).map(([name, of]) =>
    command(
      `has ${name} ${of}`,
      model => live(model, name, of) !== undefined,
      real => real.spaces.get(name)!.has(of),
    ),
  ),
  fc.tuple(space, key, fc.integer(), ttlMs).map(([name, of, given, ttl]) =>
    command(
      `getOrSet ${name} ${of} ${given} ${ttl}`,
      model => {
        const kept = live(model, name, of);
        if (kept) return kept.value;
        model.spaces.get(name)!.set(of, { value: given, until: endOf(model, ttl), tags: [] });
        return given;
      },
      real => real.spaces.get(name)!.getOrSet<number | null>(of, () => given, { ttlMs: ttl }),
    ),
  ),
  fc.tuple(space, fc.uniqueArray(key)).map(([name, keys]) =>
    command(
      `getMany ${name} ${keys.join()}`,
      model =>
        new Map(
          keys.flatMap(of => {
            const kept = live(model, name, of);
            return kept ? [[of, kept.value]] : [];
          }),
        ),
      real => real.spaces.get(name)!.getMany(keys),
    ),
  ),
  fc.tuple(space, key).map(([name, of]) =>
    command(
      `delete ${name} ${of}`,
      model => void model.spaces.get(name)!.delete(of),
      async real => void (await real.spaces.get(name)!.delete(of)),
    ),
  ),
  fc.tuple(space, tag).map(([name, of]) =>
    command(
      `deleteByTag ${name} ${of}`,
      model => {
        const kept = model.spaces.get(name)!;
        for (const [each, { tags }] of kept) if (tags.includes(of)) kept.delete(each);
      },
      real => real.spaces.get(name)!.deleteByTag(of),
    ),
  ),
  fc.tuple(space, fc.constantFrom('a', 'ab', 'user:', 'z')).map(([name, prefix]) =>
    command(
      `clearPrefix ${name} ${prefix}`,
      model => {
        const kept = model.spaces.get(name)!;
        for (const each of kept.keys()) if (each.startsWith(prefix)) kept.delete(each);
      },
      real => real.spaces.get(name)!.clearPrefix(prefix),
    ),
  ),
  space.map(name =>
    command(
      `clear ${name}`,
      model => {
        for (const [each, kept] of model.spaces) if (each === name || each.startsWith(`${name}/`)) kept.clear();
      },
      real => real.spaces.get(name)!.clear(),
    ),
  ),
  fc.constantFrom(5, 10, 1_000).map(ms =>
    command(
      `advance ${ms}`,
      model => void (model.now += ms),
      real => real.clock.advance(ms),
    ),
  ),
];

/** A cache behaves like a map with times, tags and prefixes, whatever is done to it in whatever order. */
export function cacheModel(name: string, boot: (...more: Importable[]) => Promise<InfraApp>, numRuns: number): void {
  it(`${name} behaves like a map with times, tags and prefixes`, async () => {
    const clock = new HandClock();
    @Module({ providers: [{ provide: Clock, useValue: clock }], exports: [Clock] })
    class ClockModule {}
    await using app = await boot({ module: ClockModule, global: true });
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 60, size: 'max' }), async given => {
        const base = app.get(Cache).namespace(uniqueName('model'));
        const outer = base.namespace('outer');
        const real: Real = {
          clock,
          spaces: new Map([
            ['outer', outer],
            ['outer/inner', outer.namespace('inner')],
            ['aside', base.namespace('aside')],
          ]),
        };
        const model: Model = { now: clock.now(), spaces: new Map(spaceNames.map(each => [each, new Map()])) };
        await fc.asyncModelRun(() => ({ model, real }), given);
      }),
      { numRuns },
    );
  }, 60_000);
}
