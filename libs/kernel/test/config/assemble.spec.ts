import { inspect } from 'node:util';
import { IsArray, IsInt, IsObject, IsOptional, IsString, Max, Min } from 'class-validator';
import {
  assemble,
  type Candidate,
  candidatesOf,
  Nested,
  resolveConfig,
  Secret,
  KeyParts,
  ConfigError,
} from '@core-infra/kernel';

class Tls {
  @IsOptional() @IsString() @Secret() key?: string;
  @IsInt() version: number = 3;
}

@KeyParts('addr', text => {
  const [host, port] = text.split(':');
  if (!port) throw new Error('host:port');
  return { host, port };
})
class Server {
  @IsString() host: string = 'localhost';
  @IsInt() @Min(1) @Max(65_535) port: number = 80;
  @IsString() name!: string;
  @IsArray() tags: string[] = [];
  @IsObject() extra: Record<string, unknown> = {};
  @IsOptional() @IsString() @Secret() password?: string;
  @Nested(() => Tls) tls?: Tls;

  static *check(config: Server) {
    if (config.name === config.host) yield { path: 'name', expected: 'another name than the host' };
  }
}

const put = (path: string, value: unknown, more: Partial<Candidate> = {}): Candidate => ({
  path,
  value,
  source: 'env X',
  ...more,
});
const named = put('name', 'n');

describe('assemble', () => {
  it('takes the last candidate of each path, coerced, on top of the defaults, and tells the source', () => {
    const { config, problems, sources } = assemble('server', Server, [
      named,
      put('port', '1'),
      put('port', '2', { source: 'code' }),
    ]);
    expect(problems).toEqual([]);
    expect({ ...config }).toEqual({ host: 'localhost', port: 2, name: 'n', tags: [], extra: {} });
    expect(Object.fromEntries(sources)).toEqual({ name: 'env X', port: 'code' });
  });

  it('makes a group without an initialiser when a value in it is set, and not before', () => {
    expect(assemble('server', Server, [named]).config.tls).toBeUndefined();
    const { config } = assemble('server', Server, [named, put('tls.key', 'k')]);
    expect(config.tls).toBeInstanceOf(Tls);
    expect({ ...config.tls }).toEqual({ key: 'k', version: 3 });
  });

  it('returns every problem with its source, and a value once', () => {
    const { problems } = assemble('server', Server, [put('port', '70000'), put('tags', 5), put('tls.version', 'x')]);
    expect(problems).toEqual([
      { key: 'server.tags', env: 'SERVER_TAGS', source: 'env X', expected: 'a list', got: '5' },
      { key: 'server.tls.version', env: 'SERVER_TLS_VERSION', source: 'env X', expected: 'an integer', got: '"x"' },
      { key: 'server.port', env: 'SERVER_PORT', source: 'env X', expected: 'not greater than 65535', got: '70000' },
      { key: 'server.name', env: 'SERVER_NAME', source: 'default', expected: 'a string', got: 'nothing' },
    ]);
  });

  it('masks what is secret, by field and by candidate, and cuts what is long', () => {
    const { problems } = assemble('server', Server, [
      named,
      put('password', ['hunter2']),
      put('port', 'hunter2', { masked: true }),
      put('tags', { long: 'x'.repeat(200) }),
    ]);
    expect(problems.map(({ got }) => got)).toEqual(
      expect.arrayContaining(['****', '****', expect.stringMatching(/^.{78}$/)]),
    );
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  it('asks rules between fields once all fields are right', () => {
    expect(assemble('server', Server, [put('name', 'localhost')]).problems).toMatchObject([
      { key: 'server.name', source: 'env X', expected: 'another name than the host' },
    ]);
    expect(assemble('server', Server, [put('name', 'localhost'), put('port', 'x')]).problems).toHaveLength(1);
  });

  it('waits with what is missing, and with rules between fields, where more comes from code', () => {
    expect(assemble('server', Server, [], { partial: true }).problems).toEqual([]);
    expect(assemble('server', Server, [put('port', '0')], { partial: true }).problems).toHaveLength(1);
  });

  it('freezes the result, and neither freezes nor keeps what was given in code', () => {
    class Strategy {
      calls = 0;
    }
    const given = { tags: ['a'], extra: { strategy: new Strategy(), list: [1] }, name: 'n' };
    const { config } = assemble('server', Server, candidatesOf(given, 'server', Server, 'code').candidates);
    expect(() => config.tags.push('b')).toThrow(TypeError);
    expect(() => (config.extra.more = 1)).toThrow(TypeError);
    given.tags.push('c');
    given.extra.strategy.calls = 1;
    expect(config.tags).toEqual(['a']);
    expect(config.extra.strategy).toBe(given.extra.strategy);
  });

  it('hides secrets from inspection and JSON, in groups too', () => {
    const { config } = assemble('server', Server, [named, put('password', 'hunter2'), put('tls.key', 'hunter3')]);
    expect(config.password).toBe('hunter2');
    for (const text of [inspect(config, { depth: 5 }), JSON.stringify(config)]) {
      expect(text).not.toMatch(/hunter/);
      expect(text).toContain('****');
    }
  });
});

describe('candidatesOf', () => {
  it('takes a tree apart, groups and parts included', () => {
    const { candidates, problems } = candidatesOf(
      { addr: 'db:5', tls: { version: 2 }, port: undefined },
      'server',
      Server,
      'code',
    );
    expect(problems).toEqual([]);
    expect(candidates.map(({ path, value }) => [path, value])).toEqual([
      ['host', 'db'],
      ['port', '5'],
      ['tls.version', 2],
    ]);
  });

  it('reports keys that nobody has, also hostile ones, with the nearest', () => {
    const hostile = JSON.parse('{"hots": 1, "__proto__": {"polluted": 1}, "constructor": {}}') as object;
    expect(candidatesOf(hostile, 'server', Server, 'code').problems).toEqual([
      { key: 'server.hots', source: 'code', expected: 'a known key (did you mean server.host?)' },
      { key: 'server.__proto__', source: 'code', expected: 'a known key' },
      { key: 'server.constructor', source: 'code', expected: 'a known key' },
    ]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('resolveConfig', () => {
  it('stands on defaults and code alone where there is no source, with every problem in one error', () => {
    expect(resolveConfig({ section: 'server', Config: Server, given: { name: 'n' } }).port).toBe(80);
    const refused = () => resolveConfig({ section: 'server', Config: Server, given: { port: 0, hots: 1, addr: 'x' } });
    expect(refused).toThrow(ConfigError);
    expect(refused).toThrow(/4 problems/);
  });

  it('asks the source where there is one', () => {
    const source = { resolve: jest.fn().mockReturnValue('resolved'), onChange: jest.fn() };
    const request = { section: 'server', Config: Server };
    expect(resolveConfig(request, source)).toBe('resolved');
    expect(source.resolve).toHaveBeenCalledWith(request);
  });
});
