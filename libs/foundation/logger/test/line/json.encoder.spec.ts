import { runInNewContext } from 'node:vm';
import { RedactionConfig } from '@core-infra/logger';
import fc from 'fast-check';
import { JsonEncoder } from '../../src/line/json.encoder.js';
import { RedactionRules } from '../../src/line/redaction.rules.js';

function encoder(redact: Partial<RedactionConfig> = {}, maxText?: number) {
  return new JsonEncoder(new RedactionRules(Object.assign(new RedactionConfig(), redact)), maxText);
}

function encode(fields: object, redact: Partial<RedactionConfig> = {}, maxText?: number) {
  return JSON.parse(`{"x":0${encoder(redact, maxText).fields(fields)}}`) as Record<string, any>;
}

describe('JsonEncoder', () => {
  it('writes what JSON.stringify would, for any plain value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), value => {
        const { value: written } = encode({ value }, { enabled: false });
        expect(written).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 500 },
    );
  });

  it('survives any object at all, on one line', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withNullPrototype: true,
          withSparseArray: true,
        }),
        value => {
          const rules = new RedactionRules(new RedactionConfig());
          const text = new JsonEncoder(rules).fields({ value });
          expect(text).not.toContain('\n');
          JSON.parse(`{"x":0${text}}`);
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    'password',
    'Password',
    'user_password',
    'userPassword',
    'PASSWD',
    'db.password',
    'token',
    'accessToken',
    'refresh_token',
    'Authorization',
    'proxy-authorization',
    'secret',
    'client_secret',
    'clientSecret',
    'api_key',
    'apiKey',
    'x-api-key',
    'cookie',
    'Set-Cookie',
    'set_cookie',
    'dsn',
    'POSTGRES_DSN',
    'private_key',
    'credentials',
    'passphrase',
    'jwt',
    'connectionString',
    'card_number',
    'cvv',
    'pass',
    'bearer',
    'rawHeaders',
  ])('replaces the value of %s at any depth', key => {
    const hidden = 'must not be seen';
    const written = encode({
      [key]: hidden,
      list: [{ deep: { [key]: { inner: hidden } } }],
      error: Object.assign(new Error('x'), { [key]: hidden }),
    });
    expect(JSON.stringify(written)).not.toContain(hidden);
    expect(written[key]).toBe('[redacted]');
    expect(written.list[0].deep[key]).toBe('[redacted]');
  });

  it.each(['orderId', 'tokenCount', 'author', 'passenger', 'path', 'key', 'name', 'email'])(
    'leaves %s as it is',
    key => {
      expect(encode({ [key]: 'seen' })[key]).toBe('seen');
    },
  );

  it('lets booleans through, which tell that there is a secret and not which', () => {
    expect(encode({ hasPassword: true, token: null, password: undefined })).toEqual({
      x: 0,
      hasPassword: true,
      token: null,
    });
  });

  it('takes more names, exceptions, paths and another censor', () => {
    const written = encode(
      {
        tokenAge: 1,
        sessionToken: 'a',
        iban: 'DE1',
        body: { card: 'x', other: 'y' },
        users: [
          { note: 'n', id: 1 },
          { note: 'm', id: 2 },
        ],
        a: { b: { c: 'z' } },
      },
      { keys: ['IBAN'], allow: ['session_token'], paths: ['body.card', 'users[*].note', 'a.*.c'], censor: '***' },
    );
    expect(written).toEqual({
      x: 0,
      tokenAge: 1,
      sessionToken: 'a',
      iban: '***',
      body: { card: '***', other: 'y' },
      users: [
        { note: '***', id: 1 },
        { note: '***', id: 2 },
      ],
      a: { b: { c: '***' } },
    });
  });

  it('leaves personal data out only where asked', () => {
    const person = {
      email: 'ann@example.org',
      phoneNumber: '+49 1',
      first_name: 'Ann',
      lastName: 'Lee',
      note: 'write to ann@example.org now',
    };
    expect(encode(person)).toMatchObject(person);
    const written = encode(person, { personal: true });
    expect(JSON.stringify(written)).not.toMatch(/ann|\+49|Lee/i);
    expect(written.note).toBe('write to [redacted] now');
  });

  it('redacts nothing when it is off', () => {
    expect(encode({ password: 'x', url: 'pg://a:b@c' }, { enabled: false })).toMatchObject({
      password: 'x',
      url: 'pg://a:b@c',
    });
  });

  it.each([
    ['connect to postgres://app:s3cret@db:5432/x failed', 'connect to postgres://app:****@db:5432/x failed'],
    ['redis://:s3cret@cache:6379', 'redis://:****@cache:6379'],
    ['amqp://u:p@ss:s3cret@host/v and kafka://b:s3cret@k', 'amqp://u:****@host/v and kafka://b:****@k'],
    ['Server=db;User Id=sa;Password=s3cret;Encrypt=true', 'Server=db;User Id=sa;Password=****;Encrypt=true'],
    ["host=db password='s3cret' user=x", 'host=db password=**** user=x'],
    ['https://example.org/a?token=s3cret&b=1', 'https://example.org/a?token=****&b=1'],
    ['https://s3cret@example.org/x.git', 'https://****@example.org/x.git'],
    ['/files?sig=s3cret&X-Amz-Signature=s3cret', '/files?sig=****&X-Amz-Signature=****'],
    ['{"user":"a","password":"s3cr\\"et s3cret","n":1}', '{"user":"a","password":"****","n":1}'],
    ['{"password": 5312345}', '{"password": ****}'],
    [JSON.stringify(JSON.stringify({ accessToken: 's3cret', n: 1 })), '"{\\"accessToken\\":\\"****\\",\\"n\\":1}"'],
    ["{ apiKey: 's3cret', n: 1 }", "{ apiKey: '****', n: 1 }"],
    ['sent Authorization: Bearer s3cret.abc to it', 'sent Authorization: Bearer **** to it'],
    ['basic dTpzM2NyZXQ= is wrong', 'basic **** is wrong'],
    ['got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.s3cret there', 'got **** there'],
    ['GET /\r\nCookie: sid=s3cret; b=s3cret\r\nHost: x', 'GET /\r\nCookie: ****\r\nHost: x'],
    [
      '-----BEGIN RSA PRIVATE KEY-----\ns3cret\n-----END RSA PRIVATE KEY-----',
      '-----BEGIN RSA PRIVATE KEY-----****-----END RSA PRIVATE KEY-----',
    ],
    ['bearer authentication, basic knowledge', 'bearer authentication, basic knowledge'],
    ["the password is wrong: it's too short", "the password is wrong: it's too short"],
    ['https://example.org:8080/a@b', 'https://example.org:8080/a@b'],
    ['at 10:30 a=b', 'at 10:30 a=b'],
  ])('masks the password in %j', (text, expected) => {
    expect(encode({ text, list: [text], error: new Error(text) })).toMatchObject({
      text: expected,
      list: [expected],
      error: { message: expected },
    });
    expect(JSON.stringify(encode({ error: new Error(text) }))).not.toContain('s3cret');
  });

  it('writes errors with their causes, own fields and aggregated errors', () => {
    const cause = Object.assign(new TypeError('inner'), { code: 'E_INNER' });
    const error = new AggregateError([new Error('one'), new RangeError('two')], 'outer', { cause });
    expect(encode({ err: error }).err).toMatchObject({
      type: 'AggregateError',
      message: 'outer',
      stack: expect.stringContaining('outer'),
      cause: { type: 'TypeError', message: 'inner', code: 'E_INNER' },
      errors: [{ message: 'one' }, { type: 'RangeError', message: 'two' }],
    });
    const foreign = runInNewContext('new Error("of another realm")') as unknown;
    expect(encode({ err: foreign }).err).toMatchObject({ message: 'of another realm', stack: expect.any(String) });
    const circular = new Error('self');
    circular.cause = circular;
    expect(encode({ err: circular }).err.cause).toBe('[circular]');
  });

  it('replaces the value of a pair under a secret name', () => {
    const headers = [
      ['cookie', 'sid=1'],
      ['accept', '*/*'],
    ];
    expect(encode({ headers })['headers']).toEqual([
      ['cookie', '[redacted]'],
      ['accept', '*/*'],
    ]);
    expect(encode({ list: ['token', 'secret', 'password'] })['list']).toEqual(['token', 'secret', 'password']);
  });

  it('survives cycles, getters and proxies that throw, and says so in their place', () => {
    const loop: Record<string, unknown> = { a: 1 };
    loop.self = loop;
    loop.list = [loop];
    const hostile = {
      ok: 1,
      get bad(): never {
        throw new Error('no');
      },
      toJSON: undefined,
      after: 2,
    };
    const proxy = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('closed');
        },
      },
    );
    const written = encode({
      loop,
      hostile,
      proxy,
      json: {
        toJSON: () => {
          throw new Error('never');
        },
      },
      last: 'here',
    });
    expect(written).toMatchObject({
      loop: { a: 1, self: '[circular]', list: ['[circular]'] },
      hostile: { ok: 1, bad: '[unreadable: no]', after: 2 },
      json: '[unreadable: never]',
      last: 'here',
    });
    expect(written.proxy).toBe('[unreadable: closed]');
    expect(encode(proxy)).toMatchObject({ unloggable: 'closed' });
    expect(encode({ twice: [loop.list, loop.list] }).twice[1]).not.toBe('[circular]');
  });

  it('keeps huge and deep values within bounds', () => {
    const deep: Record<string, unknown> = {};
    let at = deep;
    for (let depth = 0; depth < 10_000; depth += 1) at = at.next = {};
    const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, index]));
    const bushy = Array.from({ length: 200 }, () => Array.from({ length: 200 }, () => ({ a: { b: 1 } })));
    const written = encode(
      { deep, wide, list: Array.from({ length: 10_000 }, () => 1), text: 'x'.repeat(1_000_000), bushy },
      {},
      1_000,
    );
    expect(JSON.stringify(written).length).toBeLessThan(100_000);
    expect(written.text).toMatch(/^x{1000}… \(999000 more characters\)$/);
    expect(written.list.at(-1)).toBe('… 9800 more');
    expect(written.wide['…']).toBe('more than 200 fields');
  });

  it('keeps a line of very many texts, or of names that are data, within bounds', () => {
    const texts = Array.from({ length: 200 }, () => Array.from({ length: 200 }, () => 'x'.repeat(16_384)));
    const whole = encoder().fields({ texts, after: 1 });
    expect(whole.length).toBeLessThan(1_200_000);
    expect(whole).toContain('[too much]');
    expect(JSON.parse(`{"x":0${whole}}`)).toMatchObject({ texts: expect.any(Array) });

    const written = encoder();
    expect(written.fields({ body: { ['k'.repeat(1_000_000)]: 1 } }).length).toBeLessThan(300);
    const { keys } = written as unknown as { keys: Map<string, unknown> };
    expect([...keys.keys()]).toEqual([]); // only what is short is remembered
  });

  it('writes what JSON has no word for', () => {
    const fields = {
      big: 2n ** 64n,
      nan: Number.NaN,
      infinite: Infinity,
      date: new Date(0),
      invalid: new Date(Number.NaN),
      buffer: Buffer.from('abc'),
      map: new Map([
        ['password', 'x'],
        ['a', 'b'],
      ]),
      set: new Set([1, 2]),
      undefined: undefined,
      call: () => 1,
      symbol: Symbol('s'),
      nothing: Object.create(null) as object,
      url: new URL('http://a:b@c/'),
    };
    expect(encode(fields)).toEqual({
      x: 0,
      big: '18446744073709551616',
      nan: null,
      infinite: null,
      date: '1970-01-01T00:00:00.000Z',
      invalid: null,
      buffer: '[3 bytes]',
      map: { password: '[redacted]', a: 'b' },
      set: [1, 2],
      nothing: {},
      url: 'http://a:****@c/',
    });
  });

  it("cannot overwrite a line's own fields", () => {
    expect(encode({ level: 'fatal', time: 'never', msg: 'x', request_id: 'forged', nested: { level: 1 } })).toEqual({
      x: 0,
      level_: 'fatal',
      time_: 'never',
      msg_: 'x',
      request_id_: 'forged',
      nested: { level: 1 },
    });
  });

  it('cannot overwrite whom a line serves, and may tell it where the line does not', () => {
    const forged = { user_id: 'forged', trace_id: 'mine' };
    expect(encoder().fields(forged, '{"level":"info","user_id":"u-1"')).toBe(',"user_id_":"forged","trace_id":"mine"');
    expect(encoder().fields(forged)).toBe(',"user_id":"forged","trace_id":"mine"');
  });
});
