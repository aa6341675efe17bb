import type { KafkaMessage } from '@core-infra/kafka';
import {
  claimRecord,
  messageRecords,
  packed,
  ParkedLog,
  removal,
  stateRecord,
} from '../../src/drivers/kafka/parking/parked-log.js';

const meta = (position: number) => ({
  id: `id-${position}`,
  key: 'key',
  headers: {},
  position,
  time: 0,
  attempts: 1,
  dueAt: 5,
  reason: '',
});

/** A log made of drafts, as it would be read. */
function read(drafts: readonly { key: string; value: Buffer | string | null; headers?: object }[]): ParkedLog {
  const log = new ParkedLog();
  for (const [at, { key, value, headers = {} }] of drafts.entries())
    log.take({
      offset: BigInt(at),
      key: Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(String(text))])),
      timestamp: 0,
    } as KafkaMessage);
  return log;
}

const message = (owner: string, position: number) =>
  messageRecords(`${owner}-${position}`, owner, packed(meta(position), Buffer.from('body')));
const positions = (log: ParkedLog) => [...log.messages.values()].map(({ position }) => position);

describe('the log of a partition', () => {
  it('counts for nothing what an owner writes after another has claimed the partition', () => {
    const log = read([
      claimRecord({ epoch: 3, owner: 'a' }),
      ...message('a', 1),
      claimRecord({ epoch: 4, owner: 'b' }),
      ...message('a', 2),
      ...message('b', 3),
      stateRecord('a-1', 'a', { attempts: 9, dueAt: 99 }),
    ]);
    expect(positions(log)).toEqual([1, 3]);
    expect(log.messages.get('a-1')).toMatchObject({ attempts: 1, dueAt: 5 });
    expect([...log.stale].toSorted()).toEqual(['claim/3/a', 'message/a-2/0', 'state/a-1/a']);
  });

  it('does not fall for the claim of one that was assigned the partition earlier, and comes late', () => {
    const log = read([
      claimRecord({ epoch: 4, owner: 'b' }),
      ...message('b', 1),
      claimRecord({ epoch: 3, owner: 'a' }),
      ...message('a', 2),
      ...message('b', 3),
    ]);
    expect(log.claim).toEqual({ epoch: 4, owner: 'b' });
    expect(positions(log)).toEqual([1, 3]);
    expect([...log.stale]).toEqual(['claim/3/a', 'message/a-2/0']);
  });

  it('knows attempts and what was removed, also of a beginning that was compacted', () => {
    const log = read([
      ...message('a', 1),
      ...message('a', 2),
      stateRecord('a-2', 'a', { attempts: 4, dueAt: 400, firstAttemptAt: 7 }),
      stateRecord('a-2', 'b', { attempts: 3, dueAt: 300, firstAttemptAt: 6 }),
      claimRecord({ epoch: 7, owner: 'c' }),
      ...message('a', 1).map(({ key }) => removal(key)),
    ]);
    expect(positions(log)).toEqual([2]);
    expect(log.messages.get('a-2')).toMatchObject({ attempts: 4, dueAt: 400, firstAttemptAt: 7 });
    expect([...log.messages.get('a-2')!.records]).toEqual(['message/a-2/0', 'state/a-2/a', 'state/a-2/b']);
  });

  it('has a message of several parts once all are there, and once though it was sent twice', () => {
    const large = messageRecords('a-1', 'a', packed(meta(1), Buffer.alloc(1_000_000, 'x')));
    expect(large).toHaveLength(3);
    expect(positions(read(large.slice(0, 2)))).toEqual([]);
    const log = read([...large.slice(0, 2), ...large, ...message('a', 2), ...large]);
    expect(positions(log)).toEqual([1, 2]);
    expect(log.messages.get('a-1')!.offsets).toEqual([2n, 3n, 4n]);
  });
});
