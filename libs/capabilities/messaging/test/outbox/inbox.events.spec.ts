import { createHash } from 'node:crypto';
import { eventBytes, eventsOf } from '../../src/outbox/stores/inbox.events.js';

const hexOf = (event: string | undefined): string => Buffer.from(event!, 'latin1').toString('hex');
const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('eventsOf', () => {
  it('puts the time of an id of version 7 before 128 bits of the hash of all of it', () => {
    const ids = ['/orders#0193e0c7-6c4e-7a5b-8c3d-9e8f7a6b5c4d', '/orders#0193e0c8-0000-7000-b000-000000000000'];
    expect(eventsOf('g', ids).map(hexOf)).toEqual([
      `0193e0c7${sha(`g\0${ids[0]}`).slice(0, 32)}`,
      `0193e0c8${sha(`g\0${ids[1]}`).slice(0, 32)}`,
    ]);
  });

  it.each([
    '/orders#1',
    '',
    '/orders#0193e0c7-6c4e-4a5b-8c3d-9e8f7a6b5c4d', // version 4
    '/orders#0193E0C7-6C4E-7A5B-8C3D-9E8F7A6B5C4D',
    "/orders#0193e0c'-6c4e-7a5b-8c3d-9e8f7a6b5c4d",
    '/orders#0193e0c7-6c4e-7a5b-8c3d-9e8f7a6b5c4d\n',
    '/\u0000\uD800\u00FF',
  ])('takes the hash alone of %j', id => {
    expect(eventsOf('g', [id]).map(hexOf)).toEqual([sha(`g\0${id}`).slice(0, 40)]);
  });

  it('is of one size, and another one for another group, source or id', () => {
    const id = '/orders#0193e0c7-6c4e-7a5b-8c3d-9e8f7a6b5c4d';
    const events = [...eventsOf('g', [id, `/${id}`, `${id}0`, `${id}`.repeat(1_000)]), ...eventsOf('h', [id])];
    expect(events.map(({ length }) => length)).toEqual(events.map(() => eventBytes));
    expect(new Set(events).size).toBe(events.length);
  });
});
