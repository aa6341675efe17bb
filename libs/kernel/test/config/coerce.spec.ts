import { IsArray, IsBoolean, IsIn, IsInt, IsNumber, IsObject, IsString } from 'class-validator';
import { coerce, CoercionFailure, isForbiddenKey, shapeOf, Synonyms, type Unit } from '@core-infra/kernel';

class Everything {
  @IsString() text: string = '';
  @IsIn(['info', 'warn']) @Synonyms({ warning: 'warn' }) level: string = 'info';
  @IsIn([400, 422]) status: number = 422;
  @IsInt() count: number = 0;
  @IsNumber() ratio: number = 0;
  @IsInt() waitMs: number = 0;
  @IsInt() cacheBytes: number = 0;
  @IsBoolean() on: boolean = false;
  @IsArray() @IsString({ each: true }) names: string[] = [];
  @IsInt({ each: true }) ports: number[] = [];
  @IsBoolean({ each: true }) switches: boolean[] = [];
  @IsObject() map: Record<string, unknown> = {};
}

const read = (path: keyof Everything, value: unknown, unit?: Unit) =>
  coerce(
    value,
    shapeOf(Everything).fields.find(field => field.path === path)!,
    unit,
  );

describe('coerce', () => {
  it.each<[keyof Everything, unknown, unknown]>([
    ['text', 'a', 'a'],
    ['text', ' a ', ' a '],
    ['text', 5, '5'],
    ['text', true, 'true'],
    ['text', 12n, '12'],
    ['level', 'WARN', 'warn'],
    ['level', ' Warning ', 'warn'],
    ['level', 'loud', 'loud'],
    ['status', '400', 400],
    ['status', 422, 422],
    ['count', ' 5 ', 5],
    ['count', '-5', -5],
    ['count', '1e3', 1000],
    ['count', 5, 5],
    ['ratio', '0.5', 0.5],
    ['waitMs', '250', 250],
    ['waitMs', 250, 250],
    ['waitMs', '1m 30s', 90_000],
    ['cacheBytes', '10MB', 10 * 1024 ** 2],
    ['on', 'Yes', true],
    ['on', 'off', false],
    ['on', 1, true],
    ['on', '0', false],
    ['names', 'a, b,c', ['a', 'b', 'c']],
    ['names', '', []],
    ['names', '["a,b"]', ['a,b']],
    ['names', ['a'], ['a']],
    ['ports', '1, 2', [1, 2]],
    ['ports', ['3', 4], [3, 4]],
    ['switches', 'on,off', [true, false]],
    ['map', '{"a":1}', { a: 1 }],
    ['map', { a: 1 }, { a: 1 }],
  ])('%s reads %p as %p', (path, value, expected) => expect(read(path, value)).toEqual(expected));

  it('reads a bare number in the unit of the spelling, and one with a unit as it says', () => {
    expect(read('waitMs', '5', 's')).toBe(5_000);
    expect(read('waitMs', 5, 'm')).toBe(300_000);
    expect(read('waitMs', '5ms', 's')).toBe(5);
    expect(read('cacheBytes', 5, 'MB')).toBe(5 * 1024 ** 2);
  });

  it.each<[keyof Everything, unknown, string]>([
    ['text', {}, 'text'],
    ['text', null, 'text'],
    ['text', 'a\0', 'text without a NUL byte'],
    ['count', '', 'an integer'],
    ['count', '1.5', 'an integer'],
    ['count', 'five', 'an integer'],
    ['count', '0x5', 'an integer'],
    ['count', Number.NaN, 'an integer'],
    ['count', true, 'an integer'],
    ['count', 'tcp://10.0.0.1:80', 'enableServiceLinks: false'],
    ['ratio', 'Infinity', 'a number'],
    ['ratio', Number.POSITIVE_INFINITY, 'a number'],
    ['waitMs', 'soon', 'a duration such as "5m"'],
    ['waitMs', Number.NaN, 'a duration'],
    ['waitMs', '5 parsecs', 'a duration'],
    ['waitMs', {}, 'a duration'],
    ['cacheBytes', '5m', 'a size such as "10MB"'],
    ['on', 'perhaps', 'true or false'],
    ['names', 5, 'a list'],
    ['names', '[1', 'a comma list or a JSON array'],
    ['ports', '1,x', 'a list, each item an integer'],
    ['map', 'x', 'an object, in the environment as JSON'],
    ['map', null, 'an object'],
    ['map', '{"__proto__":{}}', 'JSON without the key "__proto__"'],
    ['map', '{"a":{"constructor":1}}', 'JSON without the key "constructor"'],
    ['names', '[{"prototype":1}]', 'JSON without the key "prototype"'],
  ])('%s refuses %p: %s', (path, value, expected) => {
    const failure = read(path, value);
    expect(failure).toBeInstanceOf(CoercionFailure);
    expect((failure as CoercionFailure).expected).toContain(expected);
  });

  it('knows the keys that reach into prototypes', () => {
    expect(['__proto__', 'constructor', 'prototype', 'proto'].map(isForbiddenKey)).toEqual([true, true, true, false]);
  });
});
