import { Patience } from '../src/failure/patience.js';

describe('patience with a store', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate'] }));
  afterEach(() => jest.useRealTimers());

  const open = () => new Patience({ timeoutMs: 50, now: () => performance.now() });
  const takes = (ms: number) => () => new Promise<string>(done => setTimeout(done, ms, 'answer'));
  /** The turns in which an answer is read that came while the process was busy. */
  const turns = async () => {
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
  };

  async function answered(patience: Patience, times: number, ms: number): Promise<void> {
    for (let again = 0; again < times; again += 1) {
      const answer = patience.watch(takes(ms));
      await jest.advanceTimersByTimeAsync(ms);
      expect(await answer).toBe('answer');
    }
  }

  it('is that of the time-out as long as nothing is known', async () => {
    const patience = open();
    void patience.watch(takes(60));
    await jest.advanceTimersByTimeAsync(49);
    expect(patience.asks).toBe(true);
    await jest.advanceTimersByTimeAsync(2);
    await turns();
    expect(patience.asks).toBe(false);
    await jest.advanceTimersByTimeAsync(10);
    expect(patience.asks).toBe(true);
  });

  it('ends after a tenth of it where answers are quick, until one comes', async () => {
    const patience = open();
    await answered(patience, 100, 1);
    expect(patience.overdueMs).toBe(5);
    const late = patience.watch(takes(40));
    await jest.advanceTimersByTimeAsync(4);
    expect(patience.asks).toBe(true);
    await jest.advanceTimersByTimeAsync(1);
    await turns();
    expect(patience.asks).toBe(false);
    await jest.advanceTimersByTimeAsync(40);
    expect(await late).toBe('answer');
    expect(patience.asks).toBe(true);
  });

  it('grows with how long answers usually take', async () => {
    const patience = open();
    await answered(patience, 100, 20);
    expect(patience.overdueMs).toBeGreaterThan(19.9);
    expect(patience.overdueMs).toBeLessThan(21);
  });

  it('is whole again after a question that failed', async () => {
    const patience = open();
    await answered(patience, 100, 1);
    const failed = expect(
      patience.watch(() => new Promise((_done, fail) => setTimeout(fail, 40, new Error('lost')))),
    ).rejects.toThrow('lost');
    await jest.advanceTimersByTimeAsync(11);
    await turns();
    expect(patience.asks).toBe(false);
    await jest.advanceTimersByTimeAsync(30);
    await failed;
    expect(patience.asks).toBe(true);
  });
});
