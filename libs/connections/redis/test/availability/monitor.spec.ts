import { Clock } from '@core-infra/kernel';
import { eventually } from '@core-infra/testing';
import { AvailabilityMonitor } from '../../src/availability/availability-monitor.js';
import type { Link } from '../../src/availability/link.js';

/** A link that is connected, and whose pings end as they are told to. */
class ScriptedLink implements Link {
  readonly isReady = true;
  pings = 0;
  givenUp = 0;
  ready: () => void = () => undefined;
  constructor(public ping: () => Promise<void>) {
    this.ping = () => {
      this.pings += 1;
      return ping();
    };
  }
  giveUp(): void {
    this.givenUp += 1;
  }
  listen(ready: () => void): void {
    this.ready = ready;
  }
}

describe('what pings say of a connection', () => {
  const monitors: AvailabilityMonitor[] = [];
  const watch = (link: Link) => {
    const logger = { log: () => undefined, warn: () => undefined };
    const monitor = new AvailabilityMonitor(
      { id: 'redis', logger, clock: Clock.system, commandTimeoutMs: () => 50 },
      link,
    );
    monitors.push(monitor);
    return monitor;
  };
  afterEach(() => monitors.splice(0).forEach(monitor => monitor.close()));

  it.each([
    ['that is never answered', () => new Promise<never>(() => undefined)],
    ['that its own time limit ends', () => Promise.reject(new Error('Command timed out'))],
  ])('the second one on end %s gives the socket up', async (_name, ping) => {
    const link = new ScriptedLink(ping);
    const monitor = watch(link);
    link.ready();
    await eventually(() => expect(link.givenUp).toBe(2), { intervalMs: 5 });
    expect(link.pings).toBeGreaterThanOrEqual(4);
    expect(monitor.isAvailable).toBe(false);
  });

  it('one that is answered with an error says why, and gives nothing up', async () => {
    const link = new ScriptedLink(() => Promise.reject(new Error('LOADING the dataset')));
    const monitor = watch(link);
    link.ready();
    await eventually(() => expect(link.pings).toBeGreaterThanOrEqual(4), { intervalMs: 5 });
    expect(link.givenUp).toBe(0);
    await expect(monitor.run(() => Promise.resolve(1))).rejects.toThrow('redis is away: LOADING the dataset.');
  });
});
