import { JobWriter } from '../../src/drivers/postgres/job-writer.js';
import type { NewJob } from '../../src/drivers/postgres/jobs.js';

interface Insert {
  readonly ids: readonly string[];
  end(error?: Error): Promise<void>;
}

const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** A job whose id is its key with something behind it. */
const job = (id: string): NewJob => ({ id, topic: 't', key: id[0]!, partition: 0, data: '{}' });
const loose = (id: string): NewJob => ({ id, topic: 't', partition: 0, data: '{}' });

describe('JobWriter', () => {
  const never = new AbortController().signal;
  let inserts: Insert[];
  let writer: JobWriter;

  const open = (abreast: number): void => {
    inserts = [];
    writer = new JobWriter(
      {
        insert: jobs =>
          new Promise((resolve, reject) => {
            const end = (error?: Error): Promise<void> => {
              if (error) reject(error);
              else resolve([]);
              return settled();
            };
            inserts.push({ ids: jobs.map(({ id }) => id), end });
          }),
      },
      () => undefined,
      abreast,
    );
  };
  const begun = (): readonly (readonly string[])[] => inserts.map(({ ids }) => ids);
  const write = async (...ids: string[]): Promise<void> => {
    void writer.write(ids.map(job), never);
    await settled();
  };

  it('inserts other keys beside each other, as many times as it may', async () => {
    open(2);
    await write('a1');
    await write('b1');
    await write('c1');
    expect(begun()).toEqual([['a1'], ['b1']]);
    await inserts[1]!.end();
    expect(begun()).toEqual([['a1'], ['b1'], ['c1']]);
  });

  it('has no call overtake one before it that has one of its keys, nor what waits for that', async () => {
    open(8);
    await write('a1');
    await write('a2', 'b1');
    await write('b2');
    await write('c1');
    await write('b3', 'd1');
    await write('d2');
    expect(begun()).toEqual([['a1'], ['c1']]);
    await inserts[1]!.end();
    expect(begun()).toHaveLength(2);
    await inserts[0]!.end();
    expect(begun().slice(2)).toEqual([['a2', 'b1', 'b2', 'b3', 'd1', 'd2']]);
    await write('d3', 'e1');
    expect(begun()).toHaveLength(3);
    await inserts[2]!.end();
    expect(begun().slice(3)).toEqual([['d3', 'e1']]);
  });

  it('puts what is written at once, or has to wait, into one insert', async () => {
    open(1);
    void writer.write([job('a1')], never);
    void writer.write([job('a2'), loose('x')], never);
    await settled();
    for (const at of [3, 4, 5]) await write(`a${at}`);
    expect(begun()).toEqual([['a1', 'a2', 'x']]);
    await inserts[0]!.end();
    expect(begun().slice(1)).toEqual([['a3', 'a4', 'a5']]);
  });

  it('divides much among the inserts that may begin', async () => {
    open(2);
    const many = (call: number): NewJob[] => Array.from({ length: 100 }, (_, at) => loose(`${call}-${at}`));
    for (let call = 0; call < 6; call += 1) void writer.write(many(call), never);
    await settled();
    expect(begun().map(({ length }) => length)).toEqual([300, 300]);
  });

  it('inserts nothing of a call that was given up while it waited, and has nothing wait for it', async () => {
    open(2);
    await write('a1');
    const given = new AbortController();
    const results = writer.write([job('a2'), job('b1')], given.signal);
    await settled();
    await write('b2');
    const reason = new Error('given up');
    given.abort(reason);
    await inserts[0]!.end();
    expect(await results).toEqual([reason, reason]);
    expect(begun()).toEqual([['a1'], ['b2']]);
  });

  it('lets a key go on after an insert that has failed', async () => {
    open(2);
    const first = writer.write([job('a1')], never);
    await settled();
    const second = writer.write([job('a2')], never);
    const error = new Error('Connection terminated');
    await inserts[0]!.end(error);
    expect(await first).toEqual([error]);
    expect(begun()).toEqual([['a1'], ['a2']]);
    await inserts[1]!.end();
    expect(await second).toEqual([undefined]);
  });
});
