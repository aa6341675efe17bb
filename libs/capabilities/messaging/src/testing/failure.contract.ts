import { type ContractSite, eventually, Example } from './contract.js';

/** What becomes of messages whose handlers fail, and of members that go. */
export function failureContract(site: ContractSite): void {
  it('lets a key that fails wait, in order, while other keys go on', async () => {
    await using example = await Example.of(site);
    const { placed } = example.orders;
    const seen: string[] = [];
    let failures = 2;
    const handler = example.orders.handler(({ id, at }) => {
      if (id === 'bad' && at === 0 && failures-- > 0) throw new Error('not yet');
      seen.push(`${id}-${at}`);
    });
    const { bus } = await example.boot([handler], { retry: { firstDelayMs: 200, maxDelayMs: 400, attempts: 5 } });
    for (let at = 0; at < 5; at += 1)
      await bus.publishBatch([placed.of({ id: 'bad', at }), placed.of({ id: 'good', at })]);
    await eventually(() => expect(seen).toHaveLength(10));
    for (const id of ['bad', 'good'])
      expect(seen.filter(text => text.startsWith(id))).toEqual([0, 1, 2, 3, 4].map(at => `${id}-${at}`));
  });

  it('lets later events overtake one that fails, where order is not asked for', async () => {
    await using example = await Example.of(site);
    const { placed } = example.orders;
    const seen: number[] = [];
    const tries: number[] = [];
    const handler = example.orders.handler(
      ({ at }, { attempt }) => {
        if (at === 0) tries.push(attempt);
        if (at === 0 && attempt < 3) throw new Error('not yet');
        seen.push(at);
      },
      { ordered: false },
    );
    const { bus } = await example.boot([handler], { retry: { firstDelayMs: 300, maxDelayMs: 300, attempts: 5 } });
    for (let at = 0; at < 3; at += 1) await bus.publish(placed.of({ id: 'same', at }));
    await eventually(() => expect(seen.toSorted((a, b) => a - b)).toEqual([0, 1, 2]));
    expect(tries).toEqual([1, 2, 3]);
    expect(seen.at(-1)).toBe(0);
  });

  it('keeps a dead letter as it came, once its attempts are used up, and goes on with its key', async () => {
    await using example = await Example.of(site);
    const { placed } = example.orders;
    const seen: number[] = [];
    const handler = example.orders.handler(({ at }) => {
      if (at === 0) throw Object.assign(new RangeError('never'), { code: 'E_NEVER' });
      seen.push(at);
    });
    const member = await example.boot([handler]);
    const headers = { 'x-tenant': 'a' };
    await member.bus.publish(placed.of({ id: 'ä', at: 0 }, { headers }));
    await member.bus.publish(placed.of({ id: 'ä', at: 1 }));
    await eventually(() => expect(seen).toEqual([1]));
    const [letter, ...more] = await example.deadLetters(member);
    expect(more).toEqual([]);
    expect(letter).toMatchObject({
      group: example.group,
      reason: 'attempts',
      attempts: 3,
      error: { name: 'RangeError', message: 'never', code: 'E_NEVER' },
      message: { topic: placed.type, key: 'ä', headers: { 'x-tenant': 'a', ce_type: placed.type } },
    });
    expect(JSON.parse(letter!.message.body.toString())).toEqual({ id: 'ä', at: 0 });
    expect(letter!.lastAttemptAt).toBeGreaterThanOrEqual(letter!.firstAttemptAt);
    const { hub } = member;
    const signal = AbortSignal.timeout(5_000);
    expect(await hub.deadLetters.get(letter!.id, signal)).toEqual(letter);
    expect(await hub.deadLetters.count({ group: example.group, key: 'ä' }, signal)).toBe(1);
    expect(await hub.deadLetters.count({ group: example.group, error: 'E_OTHER' }, signal)).toBe(0);
    const sizes = await hub.deadLetters.sizes?.(signal);
    // Who only knows the total tells it under '', and nothing while the letters are in hand, as they were just now.
    if (sizes?.has('')) expect(sizes.get('')).toBeGreaterThan(0);
    else if (sizes && sizes.size > 0) expect(sizes.get(example.group)).toBe(1);
    expect(await hub.deadLetters.remove([letter!.id], signal)).toBe(1);
    expect(await example.deadLetters(member)).toEqual([]);
  });

  it('makes dead letters of bytes that are no event, and of data that is not valid, at once', async () => {
    await using example = await Example.of(site);
    const { placed } = example.orders;
    const seen: number[] = [];
    const member = await example.boot([example.orders.handler(({ at }) => void seen.push(at))]);
    const ce = { ce_specversion: '1.0', ce_source: '/s', ce_type: placed.type, 'content-type': 'application/json' };
    const raw = (id: string, headers: Record<string, string>, body: string) =>
      ({ id, topic: placed.type, key: 'k', headers, body: Buffer.from(body), kind: 'event' }) as const;
    const results = await member.hub.driver.publish(
      [
        raw('1', {}, '\u0000\u0001 garbage'),
        raw('2', { ...ce, ce_id: '2' }, '{"id":'),
        raw('3', { ...ce, ce_id: '3' }, '{"id":"x","at":"no number"}'),
        raw('4', { ...ce, ce_id: '4', ce_dataversion: '9' }, '{"id":"x","at":1}'),
        raw('5', { ...ce, ce_id: '5' }, '{"id":"x","at":5}'),
      ],
      AbortSignal.timeout(10_000),
    );
    expect(results).toEqual(Array(5).fill(undefined));
    await eventually(() => expect(seen).toEqual([5]));
    const reasons = (await example.deadLetters(member)).map(({ reason }) => reason);
    expect(reasons.toSorted()).toEqual(['invalid', 'undecodable', 'undecodable', 'unknown-version']);
  });

  it('hands a message that is sent to a group again to that group alone', async () => {
    await using example = await Example.of(site);
    const { placed } = example.orders;
    const seen: string[] = [];
    const note = (group: string) =>
      example.orders.handler(({ id }, { attempt }) => void seen.push(`${group} ${id} ${attempt}`), {
        group: `${example.group}-${group}`,
      });
    const { bus, hub } = await example.boot([note('a'), note('b')]);
    await bus.publish(placed.of({ id: 'first', at: 1 }));
    await eventually(() => expect(seen.toSorted()).toEqual(['a first 1', 'b first 1']));
    const headers = {
      ce_specversion: '1.0',
      ce_id: 'again',
      ce_source: '/s',
      ce_type: placed.type,
      'content-type': 'application/json',
    };
    const body = Buffer.from('{"id":"again","at":2}');
    const message = { id: 'again', topic: placed.type, key: 'k', headers, body, attempts: 4, firstAttemptAt: 1 };
    await hub.driver.sendToGroup(`${example.group}-b`, [message], AbortSignal.timeout(10_000));
    await bus.publish(placed.of({ id: 'last', at: 3 }));
    await eventually(() =>
      expect(seen.toSorted()).toEqual(['a first 1', 'a last 1', 'b again 5', 'b first 1', 'b last 1']),
    );
  });

  it('waits for handlers under way when it ends, and does not hand their messages out again', async () => {
    await using example = await Example.of(site);
    const { placed } = example.orders;
    const seen: string[] = [];
    let go = (): void => undefined;
    const gate = new Promise<void>(resolve => (go = resolve));
    const slow = example.orders.handler(async ({ id }) => {
      seen.push(`begun ${id}`);
      await gate;
      seen.push(`done ${id}`);
    });
    const first = await example.boot([slow]);
    const other = await example.boot([]);
    await first.bus.publish(placed.of({ id: 'a', at: 1 }));
    await eventually(() => expect(seen).toEqual(['begun a']));
    const closed = first.close();
    setTimeout(go, 100);
    await closed;
    expect(seen).toEqual(['begun a', 'done a']);
    if (site.features.reach === 'process') return;
    await example.boot([example.orders.handler(({ id }) => void seen.push(`second ${id}`))]);
    await other.bus.publish(placed.of({ id: 'b', at: 2 }));
    await eventually(() => expect(seen).toContain('second b'));
    expect(seen).toEqual(['begun a', 'done a', 'second b']);
  });

  it('hands what a member had not handled when it was given up to another', async () => {
    await using example = await Example.of(site);
    const { placed } = example.orders;
    const seen: string[] = [];
    const hangs = example.orders.handler(() => new Promise<void>(() => undefined), { concurrency: 1 });
    const first = await example.boot([hangs], { shutdownTimeoutMs: 300 });
    await first.bus.publishBatch([0, 1, 2].map(at => placed.of({ id: 'a', at })));
    await eventually(() => expect([...first.hub.members].some(({ state }) => state.inFlight > 0)).toBe(true));
    await first.close();
    if (!site.features.durable) return;
    await example.boot([example.orders.handler(({ at }) => void seen.push(String(at)))]);
    await eventually(() => expect(seen).toEqual(['0', '1', '2']), 60_000);
  });
}
