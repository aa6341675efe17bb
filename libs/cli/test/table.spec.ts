import { table } from '../src/output/table.js';

describe('table', () => {
  it('aligns text to the left and numbers to the right, with a column for every key', () => {
    expect(
      table([
        { name: 'a', size: 5 },
        { name: 'bcd', size: 1_234, at: new Date(0) },
      ]),
    ).toBe(
      [
        'name  size  at',
        '────  ────  ────────────────────────',
        'a        5  -',
        'bcd   1234  1970-01-01T00:00:00.000Z',
      ].join('\n'),
    );
  });

  it('keeps a cell on its line and cannot be made to move the cursor', () => {
    expect(
      table([{ note: 'a\nb\u001b[2Jc', deep: { x: 1 } }])
        .split('\n')
        .at(-1),
    ).toBe('a ⏎ b[2Jc  {"x":1}');
  });

  it('counts what a terminal shows', () => {
    const lines = table([
      { a: '注文', b: 'x' },
      { a: 'abcd', b: 'y' },
    ]).split('\n');
    expect(lines[2]).toBe('注文  x');
    expect(lines[3]).toBe('abcd  y');
  });
});
