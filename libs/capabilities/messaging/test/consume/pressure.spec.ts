import { eventually } from '@core-infra/testing';
import { Pressure, type Readings } from '../../src/consume/pressure.js';
import { ConsumersConfig } from '../../src/config/consumers.config.js';
import { Scripted } from './member.js';

/** A process of which the spec says how it is. */
class Given implements Readings {
  heap = 0;
  lateMs = 0;
  isWatched = false;
  heapUsed(): number {
    return this.heap;
  }
  loopDelayMs(): number {
    return this.lateMs;
  }
  watch(isWatched: boolean): void {
    this.isWatched = isWatched;
  }
}

function watched(change: Partial<ConsumersConfig> = {}) {
  const readings = new Given();
  const warnings: string[] = [];
  const config = Object.assign(new ConsumersConfig(), { maxHeapUsed: 0.8, maxLoopDelayMs: 100 }, change);
  const pressure = new Pressure(config, { warn: (text: string) => void warnings.push(text) }, readings);
  const state = new Map<string, boolean>();
  let reads = 0;
  const stop = pressure.watch((name, high) => {
    state.set(name, high);
    reads += 1;
  });
  /** Each gauge has been read after this was called. */
  const read = async (): Promise<void> => {
    const from = reads;
    await eventually(() => expect(reads).toBeGreaterThan(from + 3));
  };
  return { readings, config, pressure, state, warnings, stop, read };
}

describe('pressure', () => {
  it('is high while the heap is fuller than it may be, and over when it is not', async () => {
    const { readings, state, stop, read } = watched();
    readings.heap = 0.8;
    await read();
    expect(state).toEqual(
      new Map([
        ['heap', false],
        ['event loop', false],
      ]),
    );
    readings.heap = 0.81;
    await eventually(() => expect(state.get('heap')).toBe(true));
    expect(state.get('event loop')).toBe(false);
    readings.heap = 0.5;
    await eventually(() => expect(state.get('heap')).toBe(false));
    stop();
  });

  it('is high while the event loop is later than it may be', async () => {
    const { readings, state, stop } = watched();
    readings.lateMs = 101;
    await eventually(() => expect(state.get('event loop')).toBe(true));
    readings.lateMs = 100;
    await eventually(() => expect(state.get('event loop')).toBe(false));
    stop();
  });

  it('goes by limits as they are changed, and by none that is turned off', async () => {
    const { readings, config, state, stop, read } = watched({ maxHeapUsed: 1, maxLoopDelayMs: 0 });
    Object.assign(readings, { heap: 1.5, lateMs: 60_000 });
    await read();
    expect([...state.values()]).toEqual([false, false]);
    Object.assign(config, { maxHeapUsed: 0.9, maxLoopDelayMs: 1_000 });
    await eventually(() => expect([...state.values()]).toEqual([true, true]));
    stop();
  });

  it('watches the event loop while anybody listens, and again when somebody does', async () => {
    const { readings, pressure, state, stop } = watched();
    const stopOther = pressure.watch(() => undefined);
    expect(readings.isWatched).toBe(true);
    stop();
    expect(readings.isWatched).toBe(true);
    stopOther();
    expect(readings.isWatched).toBe(false);
    readings.heap = 1;
    const again = pressure.watch((name, high) => void state.set(name, high));
    await eventually(() => expect(state.get('heap')).toBe(true));
    again();
    expect(readings.isWatched).toBe(false);
  });

  it('reads what else is added, says when it is taken away, and leaves out what cannot be read', async () => {
    const { pressure, state, warnings, stop } = watched();
    const remove = pressure.add('pool', () => true);
    pressure.add('broken', () => {
      throw new Error('no such thing');
    });
    await eventually(() => expect(state.get('pool')).toBe(true));
    remove();
    expect(state.get('pool')).toBe(false);
    await eventually(() => expect(state.get('broken')).toBe(false));
    expect(warnings).toEqual(['The gauge "broken" cannot be read, and is read no more: no such thing']);
    stop();
  });

  it('holds up what a group fetches, and lets it go on', async () => {
    const broker = new Scripted([{}]);
    let isHigh = false;
    broker.hub.pressure.add('pool', () => isHigh);
    await broker.join();
    isHigh = true;
    await eventually(() => expect(broker.member.state.pausedBy).toEqual(['pool']));
    expect(broker.calls).toEqual(['pause']);
    isHigh = false;
    await eventually(() => expect(broker.calls).toEqual(['pause', 'resume']));
    await broker.member.drain(AbortSignal.timeout(1_000));
  });
});
