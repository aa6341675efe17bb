import { lineOf, statementsOf } from '../src/migrations/sql-script.js';

const texts = (script: string) => statementsOf(script).map(({ text }) => text);

describe('statementsOf', () => {
  it.each([
    ['SELECT 1; SELECT 2', ['SELECT 1', 'SELECT 2']],
    [';;\n-- nothing\n;', []],
    [`SELECT 'a;''b;'; SELECT 2`, [`SELECT 'a;''b;'`, 'SELECT 2']],
    [`SELECT E'a\\';b'; SELECT 'c\\'; SELECT 3`, [`SELECT E'a\\';b'`, `SELECT 'c\\'`, 'SELECT 3']],
    ['SELECT ";" -- a;b\n, 2; SELECT 3', ['SELECT ";" -- a;b\n, 2', 'SELECT 3']],
    ['/* a; /* b; */ c; */ SELECT 1; /* d', ['SELECT 1']],
    ['DO $$ BEGIN x; END $$; SELECT $1; SELECT a$b;', ['DO $$ BEGIN x; END $$', 'SELECT $1', 'SELECT a$b']],
    ['DO $f$ $$ ; $$ ; $f$; SELECT 2', ['DO $f$ $$ ; $$ ; $f$', 'SELECT 2']],
    [
      'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END;',
      ['CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END;'],
    ],
  ])('%s', (script, expected) => {
    expect(texts(script)).toEqual(expected);
  });

  it('knows where a statement begins', () => {
    const script = 'SELECT 1;\n-- two\n\n  SELECT\n  2;';
    expect(statementsOf(script).map(({ offset }) => lineOf(script, offset))).toEqual([1, 4]);
  });
});
