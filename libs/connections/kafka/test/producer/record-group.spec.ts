import type { KafkaSendOptions } from '@core-infra/kafka';
import { PendingRecord } from '../../src/producer/pending-record.js';
import { RecordGroup } from '../../src/producer/record-group.js';

describe('records that are sent together', () => {
  const groupOf = (keys: readonly (string | null)[], options: KafkaSendOptions = {}) => {
    const records = keys.map(key => ({ topic: 'orders', key, value: 'x' }));
    const group = new RecordGroup(records, options);
    const pending = records.map((record, at) => new PendingRecord(record, at, 1, 0, 0, group, at, () => undefined));
    pending.forEach((record, at) => group.accepted(at, record));
    return { group, pending, settled: async () => (await group.settled).map(({ status }) => status) };
  };

  it('have an outcome each, whatever the order in which these come', async () => {
    const { group, pending } = groupOf(['a', null, 'a']);
    pending[2]!.resolve(1, 9n);
    pending[0]!.reject(new Error('no'));
    pending[0]!.resolve(1, 8n);
    pending[1]!.resolve(2, undefined);
    expect(await group.settled).toEqual([
      { status: 'rejected', reason: new Error('no') },
      { status: 'fulfilled', value: { topic: 'orders', partition: 2, offset: undefined } },
      { status: 'fulfilled', value: { topic: 'orders', partition: 1, offset: 9n } },
    ]);
  });

  it('go with an earlier one of their key, where its order is kept', async () => {
    const { group, pending, settled } = groupOf(['a', 'b', 'a', null, 'a', null], { keepKeyOrder: true });
    pending[3]!.reject(new Error('no'));
    pending[2]!.reject(new Error('no'));
    expect([group.brokenBy(4)?.reason, group.brokenBy(1), group.brokenBy(5)]).toEqual([
      new Error('no'),
      undefined,
      undefined,
    ]);
    for (const record of pending) record.resolve(0, 0n);
    expect(await settled()).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected', 'rejected', 'fulfilled']);
  });

  it('are given up by their signal, which then knows nothing of them any more', async () => {
    const given = new AbortController();
    const removed = jest.spyOn(given.signal, 'removeEventListener');
    const { group, pending } = groupOf(['a', 'b'], { signal: given.signal });
    pending[0]!.resolve(0, 0n);
    given.abort(new Error('enough'));
    expect((await group.settled)[1]).toEqual({ status: 'rejected', reason: new Error('enough') });
    expect(removed).toHaveBeenCalledTimes(1);
  });
});
