import { nearest } from '@core-infra/kernel';

describe('nearest', () => {
  it.each([
    ['hots', ['host', 'port'], 'host'],
    ['hsot', ['host', 'post'], 'host'],
    ['ttlsMs', ['ttlMs', 'url'], 'ttlMs'],
    ['HOST', ['host'], 'host'],
    ['connectTimeout', ['connectTimeoutMs', 'host'], 'connectTimeoutMs'],
    ['zzzz', ['host', 'port'], undefined],
    ['a', ['app', 'b'], undefined],
    ['x', [], undefined],
    ['', ['host'], undefined],
  ])('of %s in %p is %s', (name, known, found) => expect(nearest(name, known)).toBe(found));

  it('keeps to the given number of edits, of which a swap of neighbours is one', () => {
    expect(nearest('hsot', ['host'], 1)).toBe('host');
    expect(nearest('hsto', ['host'], 1)).toBeUndefined();
  });
});
