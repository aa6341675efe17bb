import { decodeJob, encodeJob } from '../../src/drivers/postgres/job-data.js';
import { JobIds } from '../../src/drivers/postgres/job-ids.js';
import { partitionOf, PARTITIONS } from '../../src/drivers/postgres/queues.js';

const message = { id: 'id', topic: 'orders.placed', headers: { ce_type: 'orders.placed' }, body: Buffer.from('{}') };

describe('data of a job', () => {
  it.each([
    ['text', { ...message, body: Buffer.from('\ufeff{"größer": "☃\\u0000"}') }],
    ['bytes that are no text', { ...message, body: Buffer.from([0xff, 0xfe, 0, 1]) }],
    ['text with a NUL', { ...message, body: Buffer.from('a\u0000b') }],
    ['an empty body', { ...message, body: Buffer.alloc(0) }],
    ['a key with a NUL', { ...message, key: 'a\u0000b' }],
    ['a header with half of a pair', { ...message, headers: { 'x-odd': 'a\ud83d' } }],
    ['a header that looks like an escape', { ...message, headers: { 'x-odd': 'a\\u0000 \\ud83d' } }],
  ])('keeps %s as it was', (_what, given) => {
    const json = encodeJob(given, { attempts: 2, redelivered: true });
    // What PostgreSQL refuses in jsonb.
    expect(json).not.toMatch(/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/);
    expect(decodeJob({ id: 'other', data: JSON.parse(json) }, given.topic)).toEqual({
      ...given,
      attempts: 2,
      redelivered: true,
    });
  });

  it.each([
    { ...message, headers: { a: 1 }, body: '{}' },
    { ...message, headers: { a: null }, body: '{}' },
    { ...message, headers: null, body: '{}' },
    { ...message, body: 7 },
    { ...message, body: '{}', attempts: 'many' },
    { ...message, id: undefined, body: '{}' },
    { packed: 'no JSON' },
    { packed: 7 },
    'text',
    null,
    7,
  ])('that others have put there is a message without headers: %j', data => {
    const body = Buffer.from(JSON.stringify(data));
    expect(decodeJob({ id: 'job', data }, 't')).toEqual({ id: 'job', topic: 't', headers: {}, body });
  });

  it('is legible where it can be', () => {
    expect(JSON.parse(encodeJob({ ...message, key: 'a' }))).toEqual({
      id: 'id',
      topic: 'orders.placed',
      key: 'a',
      headers: message.headers,
      body: '{}',
    });
  });
});

describe('ids of jobs', () => {
  it('ascend within a millisecond, over a clock that goes back, and are UUIDs of version 7', () => {
    const ids = new JobIds();
    const given = [
      ...Array.from({ length: 300_000 }, () => ids.next(1_700_000_000_000)),
      ids.next(1_600_000_000_000),
      ids.next(1_700_000_000_001),
    ];
    expect(given.filter((id, at) => at > 0 && id <= given[at - 1]!)).toEqual([]);
    expect(new Set(given).size).toBe(given.length);
    const version7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
    expect(given.filter(id => !version7.test(id))).toEqual([]);
  });
});

describe('partitions', () => {
  it('are the same for a key in every process and version, and take part all', () => {
    expect(['a', 'b', 'größer'].map(partitionOf)).toEqual([12, 2, 11]);
    expect(new Set(Array.from({ length: 1_000 }, (_, at) => partitionOf(`key-${at}`))).size).toBe(PARTITIONS);
    expect(new Set(Array.from({ length: 1_000 }, () => partitionOf(undefined))).size).toBe(PARTITIONS);
  });
});
