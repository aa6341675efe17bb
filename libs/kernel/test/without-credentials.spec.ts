import { reasonOf, withoutCredentials } from '@core-infra/kernel';

describe('withoutCredentials', () => {
  it.each([
    ['connect postgres://app:s3cret@db:5432/orders failed', 'connect postgres://****@db:5432/orders failed'],
    ['redis://:s3cret@cache', 'redis://****@cache'],
    ['https://s3cret@host/x', 'https://****@host/x'],
    ['amqp://u:s3/c@re/t@host', 'amqp://****@host'],
    ["cannot parse 'mongodb+srv://u:s3cret@a'", "cannot parse 'mongodb+srv://****@a'"],
    ['host=db password=s3cret user=app', 'host=db password=**** user=app'],
    ['Server=db;Pwd = "s3 cret";x=1', 'Server=db;Pwd = ****;x=1'],
    ['postgres://db/x?password=s3cret&ssl=1', 'postgres://db/x?password=****&ssl=1'],
  ])('masks %s', (text, shown) => expect(withoutCredentials(text)).toBe(shown));

  it.each(['http://db:5432/orders', 'no user mail@example.com here', 'tcp://a b@c'])('leaves %s as it is', text =>
    expect(withoutCredentials(text)).toBe(text),
  );

  it('is quick on a long hostile text', () => {
    const text = 'a://'.repeat(50_000);
    expect(withoutCredentials(text)).toBe(text);
  });

  it('goes for the reason of an error, and of those that it joins', () => {
    const one = new Error('no redis://u:s3cret@a');
    expect(reasonOf(one)).toBe('no redis://****@a');
    expect(reasonOf(new AggregateError([one, new Error('b')]))).toBe('no redis://****@a; b');
  });
});
