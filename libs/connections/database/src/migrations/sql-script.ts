/** A statement of a script, and where in the script it begins. */
export interface Statement {
  readonly text: string;
  readonly offset: number;
}

const dollarTag = /^\$(?:[a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/i;

/**
 * Takes a script apart at its semicolons, those in strings, comments and dollar quotes not counted. A script with a
 * function body in SQL's own notation (`BEGIN ATOMIC`) stays whole, since there only the server's parser knows.
 */
export function statementsOf(script: string): Statement[] {
  if (/\bbegin\s+atomic\b/i.test(script)) return [{ text: script, offset: 0 }];
  const found: Statement[] = [];
  let begin = 0;
  const finish = (end: number) => {
    const skipped = blankLength(script.slice(begin, end));
    const text = script.slice(begin + skipped, end).trimEnd();
    if (text !== '') found.push({ text, offset: begin + skipped });
    begin = end + 1;
  };
  for (let at = 0; at < script.length; at += 1) {
    const end = endOfQuoted(script, at);
    if (end > at) at = end - 1;
    else if (script[at] === ';') finish(at);
  }
  finish(script.length);
  return found;
}

/** Where the string, comment or dollar quote that begins at `at` ends; `at` itself where none begins. */
function endOfQuoted(script: string, at: number): number {
  const two = script.slice(at, at + 2);
  if (two === '--') return indexAfter(script, '\n', at);
  if (two === '/*') return endOfBlockComment(script, at);
  const char = script[at];
  if (char === "'") return endOfString(script, at);
  if (char === '"') return indexAfter(script, '"', at + 1);
  const tag =
    char === '$' && !/[\w$]/.test(script[at - 1] ?? ' ') ? dollarTag.exec(script.slice(at, at + 66))?.[0] : undefined;
  return tag ? indexAfter(script, tag, at + tag.length) : at;
}

function indexAfter(script: string, what: string, from: number): number {
  const index = script.indexOf(what, from);
  return index < 0 ? script.length : index + what.length;
}

/** A doubled quote needs no care: the second one begins a string of its own, up to the same end. */
function endOfString(script: string, at: number): number {
  const escaping = /(?:^|[^\w$])e$/i.test(script.slice(Math.max(0, at - 2), at));
  if (!escaping) return indexAfter(script, "'", at + 1);
  for (let index = at + 1; index < script.length; index += 1) {
    if (script[index] === '\\') index += 1;
    else if (script[index] === "'") return index + 1;
  }
  return script.length;
}

/** They nest in PostgreSQL. */
function endOfBlockComment(script: string, at: number): number {
  let depth = 0;
  for (let index = at; index < script.length; index += 1) {
    const two = script.slice(index, index + 2);
    if (two === '/*') depth += 1;
    else if (two === '*/') depth -= 1;
    else continue;
    index += 1;
    if (depth === 0) return index + 1;
  }
  return script.length;
}

/** Length of the white space and comments that text begins with. */
function blankLength(text: string): number {
  let at = 0;
  for (;;) {
    if (/\s/.test(text[at] ?? '')) at += 1;
    else if (text.startsWith('--', at) || text.startsWith('/*', at)) at = endOfQuoted(text, at);
    else return at;
  }
}

/** The line of a script, counted from 1, that `offset` is in. */
export function lineOf(script: string, offset: number): number {
  return script.slice(0, offset).split('\n').length;
}
