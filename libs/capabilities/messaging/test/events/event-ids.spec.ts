import { EventIds } from '../../src/events/event-ids.js';

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const now = Date.UTC(2026, 10, 21);

describe('ids of events', () => {
  it('are UUIDs of version 7 that ascend, though thousands are of one millisecond', () => {
    const ids = new EventIds();
    const made = [
      ...Array.from({ length: 4_096 }, () => ids.next(now)),
      ...Array.from({ length: 4_096 }, () => ids.next(now + 1)),
    ];
    for (const id of made) expect(id).toMatch(form);
    expect(new Set(made).size).toBe(made.length);
    expect(made).toEqual(made.toSorted());
    expect(Number.parseInt(made[0]!.replace('-', '').slice(0, 12), 16)).toBe(now);
    expect(Number.parseInt(made.at(-1)!.replace('-', '').slice(0, 12), 16)).toBe(now + 1);
  });

  it('differ when there are more in a millisecond than are counted, and when time goes back', () => {
    const ids = new EventIds();
    const made = [now, now - 1, now].flatMap(time => Array.from({ length: 10_000 }, () => ids.next(time)));
    expect(new Set(made).size).toBe(made.length);
  });

  it('are others in each process and for each bus', () => {
    const [one, other] = [new EventIds(), new EventIds()];
    const made = Array.from({ length: 100 }, () => [one.next(now), other.next(now)]).flat();
    expect(new Set(made).size).toBe(made.length);
  });
});
