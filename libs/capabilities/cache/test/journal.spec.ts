import { Journal } from '../src/drivers/redis/journal.js';

/** All that is owed, paid in order. */
function drain(journal: Journal): unknown[] {
  const paid: unknown[] = [];
  for (let debt = journal.next(); debt; debt = journal.next()) {
    paid.push('keys' in debt ? [debt.path, ...debt.keys] : [debt.path, debt.sweep]);
    journal.done(debt);
  }
  return paid;
}

describe('the journal of invalidations', () => {
  it('gives back what it was told, once', () => {
    const journal = new Journal(100);
    journal.keys(['orders:1', 'orders:2', 'orders:1', ':root']);
    journal.sweep('orders', { kind: 'tags', tags: ['t', 'u'] });
    journal.sweep('orders', { kind: 'prefix', prefix: 'user:' });
    expect(journal.size).toBe(6);
    expect(drain(journal)).toEqual([
      ['orders', { kind: 'tags', tags: ['t', 'u'] }],
      ['orders', { kind: 'prefix', prefix: 'user:' }],
      ['orders', 'orders:1', 'orders:2'],
      ['', ':root'],
    ]);
    expect(journal.size).toBe(0);
  });

  it('keeps what came in while a debt was paid', () => {
    const journal = new Journal(100);
    journal.keys(['a:1']);
    const debt = journal.next()!;
    journal.keys(['a:2']);
    journal.done(debt);
    expect(drain(journal)).toEqual([['a', 'a:2']]);
  });

  it('holds a clear instead of all that it covers', () => {
    const journal = new Journal(100);
    journal.keys(['a:1', 'a:2']);
    journal.sweep('a', { kind: 'clear' });
    journal.keys(['a:3']);
    journal.sweep('a', { kind: 'tags', tags: ['t'] });
    expect(journal.size).toBe(1);
    expect(drain(journal)).toEqual([['a', { kind: 'clear' }]]);
  });

  it('is bounded: the namespace with most is cleared, and everything when there are too many', () => {
    const journal = new Journal(10);
    journal.keys(['few:1', 'few:2']);
    journal.keys(Array.from({ length: 50 }, (_, at) => `many:${at}`));
    expect(journal.size).toBe(3);
    expect(drain(journal)).toEqual([
      ['few', 'few:1', 'few:2'],
      ['many', { kind: 'clear' }],
    ]);
    for (let at = 0; at < 50; at += 1) {
      journal.keys([`space${at}:1`]);
      expect(journal.size).toBeLessThanOrEqual(10);
    }
    expect(drain(journal)).toEqual([['', { kind: 'clear' }]]);
  });
});
