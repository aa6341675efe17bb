import { eventually, uniqueName } from '@core-infra/testing';

describe('eventually', () => {
  it('tries until nothing is thrown and resolves with the result', async () => {
    let tries = 0;
    const result = await eventually(
      () => {
        if (++tries < 3) throw new Error(`try ${tries}`);
        return 'done';
      },
      { intervalMs: 1 },
    );
    expect([result, tries]).toEqual(['done', 3]);
  });

  it('rejects with the last failure itself at the end of its time', async () => {
    let tries = 0;
    const attempt = eventually(() => Promise.reject(new RangeError(`try ${++tries}`)), {
      timeoutMs: 20,
      intervalMs: 1,
    });
    await expect(attempt).rejects.toThrow(RangeError);
    await expect(attempt).rejects.toThrow(`try ${tries}`);
  });

  it('tries once even without any time', async () => {
    expect(await eventually(() => 'at once', { timeoutMs: 0 })).toBe('at once');
  });
});

it('uniqueName gives a name that is fit for a database, and never the same', () => {
  const names = Array.from({ length: 1_000 }, () => uniqueName('orders'));
  expect(new Set(names).size).toBe(1_000);
  for (const name of names) expect(name).toMatch(/^orders_[0-9a-f]{12}$/);
});
