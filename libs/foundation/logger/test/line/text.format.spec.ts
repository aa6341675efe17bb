import { TextFormat } from '../../src/line/text.format.js';

const format = (record: Record<string, unknown>) =>
  new TextFormat(false).format(
    JSON.stringify({ level: 'info', time: '2026-11-21T02:10:13.000Z', logger: 'Orders', ...record }),
  );

describe('TextFormat', () => {
  it('is one line with the fields behind the message', () => {
    expect(format({ msg: 'order placed', orderId: 7, note: 'two words', nested: { a: 1 } })).toBe(
      '2026-11-21T02:10:13.000Z INFO  [Orders] order placed orderId=7 note="two words" nested={"a":1}\n',
    );
  });

  it.each(['\n', '\r', '\r\n', '\u2028', '\u2029', '\u0085', '\u001b[2J', '\u0000', '\b', '\u202e'])(
    'lets %j begin no line and move no cursor',
    nasty => {
      const forged = `x${nasty}2026-11-21T02:10:13.000Z ERROR [Auth] forged`;
      const text = format({ msg: forged, field: forged, [forged]: 1, logger: forged, nested: { [forged]: [forged] } });
      // eslint-disable-next-line no-control-regex
      expect(text.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]/);
      expect(text.endsWith('\n')).toBe(true);
    },
  );

  it('indents every line of a stack, so that a message in it is no line of its own', () => {
    const text = format({
      msg: 'failed',
      err: {
        type: 'Error',
        message: 'a\n2026 ERROR forged',
        stack: 'Error: a\n2026 ERROR forged\n    at x',
        code: 'E',
        cause: { type: 'TypeError', message: 'inner' },
      },
    });
    const below = text.split('\n').slice(1, -1);
    expect(below.slice(0, 3)).toEqual(['    Error: a', '    2026 ERROR forged', '    at x']);
    for (const line of below) expect(line).toMatch(/^ {4}\S/);
    expect(text).toContain('    caused by TypeError: inner');
  });

  it('cannot mistake a value for another field', () => {
    expect(format({ msg: 'm', user: 'x admin=true' })).toContain('user="x admin=true"');
  });
});
