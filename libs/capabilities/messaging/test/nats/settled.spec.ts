import { Settled } from '../../src/drivers/nats/settled.js';

describe('what was settled of a partition', () => {
  it('is remembered for the last 50,000 at least, by number and time, and forgotten after 100,000', () => {
    const settled = new Settled();
    for (let sequence = 1; sequence <= 170_000; sequence += 1) settled.add(sequence, sequence * 2);
    const known = Array.from({ length: 170_000 }, (_, at) => at + 1).filter(at => settled.has(at, at * 2));
    expect(known.at(-1)).toBe(170_000);
    expect(known.length).toBe(known.at(-1)! - known[0]! + 1);
    expect(known.length).toBeGreaterThanOrEqual(50_000);
    expect(known.length).toBeLessThanOrEqual(100_000);
    // The same number in a stream that was made anew.
    expect(settled.has(170_000, 1)).toBe(false);
  });
});
