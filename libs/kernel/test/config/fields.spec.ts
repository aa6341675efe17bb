import { IsBoolean, IsInt, IsOptional, IsPort, IsString, Max, Min } from 'class-validator';
import {
  Alias,
  ConfigSection,
  Env,
  EnvParts,
  EnvSum,
  IgnoredEnv,
  KeyParts,
  Live,
  Nested,
  Secret,
  envName,
  shapeOf,
} from '@core-infra/kernel';

class Group {
  @IsInt() @Min(1) @Max(9) @Live() size: number = 3;
}

const parse = () => ({});

@IgnoredEnv(['OLD_ONE', 'OLD_TWO'], 'gone')
class Base {
  @IsString() @Secret() @Env('BASE_TOKEN') token: string = '';
}

@ConfigSection('thing')
@EnvParts('THING_ADDR', parse)
@KeyParts('addr', parse)
class Thing extends Base {
  @IsInt() @Env('THING_WAIT', 'WAIT', { unit: 's' }) @Alias('wait', { unit: 'm' }) waitMs: number = 5;
  @IsInt() @EnvSum('A', 'B') total: number = 0;
  @IsPort() port: string = '1';
  @IsOptional() @IsBoolean() maybe?: boolean;
  @Nested(() => Group) group: Group = new Group();
  @Secret() override token: string = 'own';
}

const field = (path: string) => shapeOf(Thing).fields.find(candidate => candidate.path === path);

describe('shapeOf', () => {
  it('knows section, groups, compounds and ignored settings, inherited ones too', () => {
    const shape = shapeOf(Thing);
    expect(shape.section).toBe('thing');
    expect([...shape.groups]).toEqual([['group', Group]]);
    expect(shape.compounds).toEqual([
      { name: 'addr', kind: 'key', parse },
      { name: 'THING_ADDR', kind: 'env', parse },
    ]);
    expect(shape.ignored.map(({ name, reason }) => [name, reason])).toEqual([
      ['OLD_ONE', 'gone'],
      ['OLD_TWO', 'gone'],
    ]);
  });

  it('lists each leaf once, groups by path', () => {
    expect(
      shapeOf(Thing)
        .fields.map(({ path }) => path)
        .sort(),
    ).toEqual(['group.size', 'maybe', 'port', 'token', 'total', 'waitMs'].sort());
  });

  it('knows what decorators and validators say of a field', () => {
    expect(field('group.size')).toMatchObject({
      kind: 'integer',
      min: 1,
      max: 9,
      live: true,
      owner: Group,
      key: 'size',
      default: 3,
    });
    expect(field('waitMs')).toMatchObject({
      dimension: 'duration',
      env: [
        { names: ['THING_WAIT'], unit: 's' },
        { names: ['WAIT'], unit: 's' },
      ],
      aliases: [{ key: 'wait', unit: 'm' }],
    });
    expect(field('total')?.env).toEqual([{ names: ['A', 'B'] }]);
    expect(field('port')).toMatchObject({ min: 1, max: 65_535 });
    expect(field('maybe')).toMatchObject({ optional: true, default: undefined, kind: 'boolean' });
    expect(field('token')).toMatchObject({ secret: true, default: 'own', env: [{ names: ['BASE_TOKEN'] }] });
  });

  it('reads a class once', () => expect(shapeOf(Thing)).toBe(shapeOf(Thing)));
});

describe('envName', () => {
  it.each([
    ['database', 'host', 'DATABASE_HOST'],
    ['database', 'pool.maxLifetimeMs', 'DATABASE_POOL_MAX_LIFETIME_MS'],
    ['rateLimit', 'default.requests', 'RATE_LIMIT_DEFAULT_REQUESTS'],
    ['redis.connections.sessions', 'url', 'REDIS__SESSIONS__URL'],
    ['redis.connections.user-sessions', 'pool.max', 'REDIS__USER_SESSIONS__POOL_MAX'],
    ['http', 'cors.maxAgeMs', 'HTTP_CORS_MAX_AGE_MS'],
  ])('of %s and %s is %s', (section, path, name) => expect(envName(section, path)).toBe(name));
});
