import { type ContractSite, eventually, Example } from './contract.js';

/** Who gets what, in which order. */
export function deliveryContract(site: ContractSite): void {
  it('says what it can do', async () => {
    await using example = await Example.of(site);
    const { hub } = await example.boot([]);
    const { ordered, schedule, reach, durable, retention } = hub.driver.features;
    expect({ ordered, schedule, reach, durable, retention }).toEqual(site.features);
  });

  it('hands each event to every group once, with its envelope as it was published', async () => {
    await using example = await Example.of(site);
    const { placed } = example.orders;
    const seen: string[] = [];
    const note = (who: string) =>
      example.orders.handler(
        (order, { event }) => {
          const { type, key, headers, subject, version, source } = event;
          seen.push(JSON.stringify({ who, order, type, key, headers, subject, version, source }));
        },
        { group: `${example.group}-${who}` },
      );
    const { bus } = await example.boot([note('a'), note('b')], { source: '/contract' });
    const id = 'größer ☃ 100%';
    await bus.publish(placed.of({ id, at: 1 }, { subject: 'süß', headers: { 'x-tenant': 'a, b=c; "d"' } }));
    const expected = (who: string) =>
      JSON.stringify({
        who,
        order: { id, at: 1 },
        type: placed.type,
        key: id,
        headers: { 'x-tenant': 'a, b=c; "d"' },
        subject: 'süß',
        version: 1,
        source: '/contract',
      });
    await eventually(() => expect(seen.toSorted()).toEqual([expected('a'), expected('b')]));
  });

  it('hands events to a group that is named like their topic', async () => {
    await using example = await Example.of(site);
    const { placed } = example.orders;
    const seen: string[] = [];
    const handler = example.orders.handler(({ id }) => void seen.push(id), { group: placed.type });
    const { bus } = await example.boot([handler]);
    await bus.publish(placed.of({ id: 'a', at: 1 }));
    await eventually(() => expect(seen).toEqual(['a']));
  });

  it('carries the envelope in the body as well, and bodies of any bytes', async () => {
    await using example = await Example.of(site);
    const { placed } = example.orders;
    const seen: string[] = [];
    const handler = example.orders.handler(({ id }) => void seen.push(id));
    const { bus } = await example.boot([handler], { contentMode: 'structured' });
    const ids = ['plain', '\u2028 \u0000 "quoted" \\', 'x'.repeat(200_000)];
    for (const id of ids) await bus.publish(placed.of({ id, at: 1 }, { key: 'same' }));
    await eventually(() => expect(seen).toEqual(ids));
  });

  it('keeps the order of every key, for thousands of events published at once', async () => {
    await using example = await Example.of(site);
    const { placed } = example.orders;
    const seen = new Map<string, number[]>();
    let handled = 0;
    const handler = example.orders.handler(async ({ id, at }) => {
      // A handler that takes its time would let a later one overtake it.
      if (at % 7 === 0) await new Promise(resolve => setImmediate(resolve));
      seen.set(id, [...(seen.get(id) ?? []), at]);
      handled += 1;
    });
    const { bus } = await example.boot([handler]);
    const events = Array.from({ length: 2_000 }, (_, at) => placed.of({ id: `key-${at % 20}`, at }));
    for (let from = 0; from < events.length; from += 500) await bus.publishBatch(events.slice(from, from + 500));
    await eventually(() => expect(handled).toBe(events.length), 60_000);
    for (const [id, ats] of seen) expect([id, ats]).toEqual([id, ats.toSorted((a, b) => a - b)]);
  });

  it('keeps no more in hand than it may, and hands over the rest as that is done', async () => {
    await using example = await Example.of(site);
    const { placed } = example.orders;
    let running = 0;
    let most = 0;
    let handled = 0;
    const handler = example.orders.handler(
      async () => {
        most = Math.max(most, (running += 1));
        await new Promise(resolve => setTimeout(resolve, 1));
        running -= 1;
        handled += 1;
      },
      { concurrency: 4, overflow: 0 },
    );
    const { bus, hub } = await example.boot([handler], { consumers: { maxInFlight: 10 } });
    await bus.publishBatch(Array.from({ length: 300 }, (_, at) => placed.of({ id: String(at), at })));
    await eventually(() => expect(handled).toBe(300), 60_000);
    expect(most).toBeLessThanOrEqual(4);
    await eventually(() => expect([...hub.members].map(({ state }) => state.inFlight)).toEqual([0]));
  });

  if (site.features.reach === 'network')
    it('shares the events of a group among its members, each to one of them', async () => {
      await using example = await Example.of(site);
      const { placed } = example.orders;
      const seen: string[] = [];
      const handler = () => example.orders.handler(({ id }) => void seen.push(id));
      const one = await example.boot([handler()]);
      await example.boot([handler()]);
      const ids = Array.from({ length: 200 }, (_, at) => `${at}`);
      await one.bus.publishBatch(ids.map((id, at) => placed.of({ id, at })));
      await eventually(() => expect(new Set(seen).size).toBe(200), 60_000);
      // A rebalance may repeat what was not settled by then; nothing else may.
      expect(seen.length - new Set(seen).size).toBeLessThanOrEqual(20);
    });

  it('gives each task to one receiver, also one that comes later', async () => {
    await using example = await Example.of(site);
    const { task } = example.orders;
    const seen: string[] = [];
    const receiver = () => example.orders.receiver(({ id }) => void seen.push(id));
    const { reach } = site.features;
    const { bus } = await example.boot(reach === 'process' ? [receiver()] : []);
    await bus.send(task.of({ id: 'early', at: 0 }));
    if (reach === 'network') await Promise.all([example.boot([receiver()]), example.boot([receiver()])]);
    for (let at = 1; at <= 20; at += 1) await bus.send(task.of({ id: `task-${at}`, at }));
    await eventually(() => expect(new Set(seen).size).toBe(21), 60_000);
    expect(seen).toContain('early');
  });

  if (site.features.schedule)
    it('keeps a scheduled event until its time', async () => {
      await using example = await Example.of(site);
      const { placed } = example.orders;
      const seen: [string, number][] = [];
      const { bus } = await example.boot([example.orders.handler(({ id }) => void seen.push([id, Date.now()]))]);
      const due = Date.now() + 1_500;
      await bus.schedule(placed.of({ id: 'later', at: 1 }), new Date(due));
      await bus.publish(placed.of({ id: 'now', at: 2 }));
      await eventually(() => expect(seen.map(([id]) => id)).toEqual(['now', 'later']));
      expect(seen[1]![1]).toBeGreaterThanOrEqual(due - 20);
    });
}
