import { QueryDeadlineError } from '../src/errors.js';
import { boundOf } from '../src/query/query-bound.js';

describe('what bounds a query', () => {
  it('is late once its timer says so, though the clock lacks a little', async () => {
    const bound = boundOf({ requestId: 'r', correlationId: 'c', deadline: 10 }, () => 9)!;
    expect(bound.over).toBe(false);
    await new Promise<void>(resolve => bound.onOver(resolve));
    expect(bound.over).toBe(true);
    expect(bound.error('database', 'running a query')).toBeInstanceOf(QueryDeadlineError);
  });
});
