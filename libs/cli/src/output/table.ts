type Row = Readonly<Record<string, unknown>>;

/** Rows as an aligned table: the columns in order of appearance, numbers to the right, nothing as `-`. */
export function table(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap(row => Object.keys(row)))];
  const body = rows.map(row => columns.map(column => cell(row[column])));
  const header = columns.map(title);
  const widths = columns.map((_, at) => Math.max(...[header, ...body].map(line => width(line[at]!))));
  const numeric = columns.map(column => rows.every(row => row[column] == null || typeof row[column] === 'number'));
  const print = (line: readonly string[]) =>
    line
      .map((text, at) => (numeric[at] ? pad(text, widths[at]!) + text : text + pad(text, widths[at]!)))
      .join('  ')
      .trimEnd();
  return [print(header), print(widths.map(size => '─'.repeat(size))), ...body.map(print)].join('\n');
}

/** `poolMax` is `pool max`. */
function title(column: string): string {
  return column.replace(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase();
}

/** One line of plain text, whatever the value is: control characters could move the cursor. */
function cell(value: unknown): string {
  if (value === undefined || value === null || value === '') return '-';
  const text =
    value instanceof Date ? value.toISOString() : typeof value === 'object' ? JSON.stringify(value) : String(value);
  // eslint-disable-next-line no-control-regex
  return text.replace(/\s*[\r\n]+\s*/g, ' ⏎ ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '');
}

function pad(text: string, size: number): string {
  return ' '.repeat(Math.max(0, size - width(text)));
}

/** Columns on a terminal: what East Asian scripts and emoji take is two. */
function width(text: string): number {
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) columns += wide.test(segment) ? 2 : 1;
  return columns;
}

const graphemes = new Intl.Segmenter();
const wide =
  /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
