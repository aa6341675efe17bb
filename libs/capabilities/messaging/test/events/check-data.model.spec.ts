import 'reflect-metadata';
import { inspect } from 'node:util';
import { Expose, plainToInstance, Transform, Type } from 'class-transformer';
import {
  Allow,
  ArrayNotEmpty,
  IsDefined,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Min,
  Validate,
  ValidateIf,
  ValidateNested,
  validateSync,
  ValidatorConstraint,
  type ValidatorConstraintInterface,
} from 'class-validator';
import fc from 'fast-check';
import { instanceOf } from '../../src/events/instance-of.js';
import { isSurelyValid } from '../../src/events/surely-valid.js';

const options = { forbidUnknownValues: false, stopAtFirstError: true };

@ValidatorConstraint()
class Even implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return typeof value === 'number' && value % 2 === 0;
  }
}

class Flat {
  @IsString() @Length(1, 3) a!: string;
  @IsInt() @Min(0) b!: number;
  @IsOptional() @IsIn(['x', 'y']) c?: string;
  d = 'given';
}

class Derived extends Flat {
  @IsDefined() e: unknown = 1;
  @ValidateIf((object: Derived) => object.b === 1) @IsString() f?: string;
  @Allow() g?: unknown;
  @IsString({ each: true }) @ArrayNotEmpty() h?: string[];
  @IsInt({ validateIf: (_object, value) => value !== 'skip' }) i?: number;
  @IsString({ groups: ['one'] }) j?: string;
}

class Odd {
  @IsOptional() a?: unknown;
  set b(value: unknown) {
    this.c = value;
  }
  get d(): string {
    return 'd';
  }
  e(): string {
    return 'e';
  }
  f = (): string => 'f';
  @IsOptional() c?: unknown;
}

class Typed {
  @IsOptional() @Type(() => Date) a?: Date;
  @IsOptional() @ValidateNested() @Type(() => Flat) b?: Flat;
  @IsOptional() @Transform(({ value }) => [value]) c?: unknown;
  @IsOptional() @Expose({ name: 'other' }) d?: unknown;
}

class Own {
  @Validate(Even) b!: number;
}

class Above extends Typed {}

const classes = [Flat, Derived, Odd, Typed, Own, Above, class Bare {}];
const names = [
  'a',
  'b',
  'c',
  'd',
  'e',
  'f',
  'g',
  'h',
  'i',
  'j',
  'other',
  'constructor',
  '__proto__',
  'toString',
  'then',
  'z',
];
const value = fc.oneof(
  fc.constantFrom<unknown>('x', 'abc', '', 'long text', 'skip', 0, 1, 2, -1, 1.5, true, null, undefined, [], {}),
  fc.constantFrom<unknown>(['x'], ['x', 1], [{}], new Date(0), { a: 'x', b: 1 }, new Set(['x']), new Map()),
  fc.jsonValue({ maxDepth: 2 }),
);
const plain = fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 8 }).map(entries => {
  const made: Record<string, unknown> = {};
  for (const [name, each] of entries)
    Object.defineProperty(made, name, { value: each, enumerable: true, configurable: true, writable: true });
  return made;
});

/** What it does, or what it throws. */
function outcomeOf(make: () => unknown): unknown {
  try {
    return { made: make() };
  } catch (error) {
    return { thrown: String(error) };
  }
}

/** Text, since dates that are none do not equal each other; functions are made anew with each instance. */
const shown = (made: object): string =>
  `${Object.getPrototypeOf(made) === Object.prototype} ${inspect(made, { depth: 9, getters: true })}`;

describe('what checks data quickly', () => {
  it('makes the instance that class-transformer makes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...classes), plain, (schema, data) => {
        const made = (make: () => object) => outcomeOf(() => shown(make()));
        expect(made(() => instanceOf(schema, data))).toStrictEqual(made(() => plainToInstance(schema as never, data)));
      }),
      { numRuns: 2_000 },
    );
  });

  it('finds valid only what class-validator does', () => {
    const seen = { valid: 0, invalid: 0 };
    fc.assert(
      fc.property(fc.constantFrom(...classes), plain, (schema, data) => {
        let instance: object;
        try {
          instance = plainToInstance(schema as never, data) as object;
        } catch {
          return;
        }
        const slow = outcomeOf(() => validateSync(instance, options).length) as { made?: number };
        const surely = isSurelyValid(instance);
        if (surely) expect(slow).toEqual({ made: 0 });
        // Nothing valid of a class that it understands takes the long way.
        if (slow.made === 0 && (schema === Flat || schema === Odd)) expect(surely).toBe(true);
        seen[surely ? 'valid' : 'invalid'] += 1;
      }),
      { numRuns: 2_000 },
    );
    expect(Math.min(seen.valid, seen.invalid)).toBeGreaterThan(100);
  });

  it('leaves classes with validators of the app, and nested ones, to class-validator', () => {
    expect(isSurelyValid(Object.assign(new Own(), { b: 2 }))).toBe(false);
    expect(isSurelyValid(new Typed())).toBe(false);
    expect(isSurelyValid(Object.assign(new Derived(), { a: 'x', b: 0, h: ['x'], i: 1, j: 'x' }))).toBe(true);
  });
});
