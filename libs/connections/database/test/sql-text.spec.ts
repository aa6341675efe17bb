import { maskedParameters, maskedSql, operationOf, tableOf } from '../src/query/sql-text.js';

it.each([
  [`SELECT * FROM "orders" WHERE id = $1 AND note = 'it''s' LIMIT 10`, 'SELECT', 'orders'],
  ['/* by */ -- x\n insert into audit.entries VALUES (1)', 'INSERT', 'audit.entries'],
  ['UPDATE ONLY t2 SET a = 1', 'UPDATE', 't2'],
  ['DELETE FROM "Weird Name"', 'DELETE', 'Weird Name'],
  ['WITH x AS (SELECT 1) SELECT * FROM x', 'SELECT', 'x'],
  ['START TRANSACTION', 'BEGIN', undefined],
  ['CREATE TABLE IF NOT EXISTS things (id int)', 'CREATE', 'things'],
  ['FROBNICATE', 'OTHER', undefined],
])('%s', (sql, operation, table) => {
  expect(operationOf(sql)).toBe(operation);
  expect(tableOf(sql)).toBe(table);
});

it('masks every literal and keeps the rest', () => {
  expect(maskedSql(`SELECT t1.x, 'it''s', E'a', $1, 12.5e3, $$ secret $$, $a$ secret $a$ FROM "t 5"  -- end`)).toBe(
    'SELECT t1.x, ?, E?, $1, ?, ?, ? FROM "t 5" -- end',
  );
  expect(maskedSql(`ALTER ROLE x PASSWORD 'hunter2`)).toBe('ALTER ROLE x PASSWORD ?');
  expect(maskedSql(`SELECT ${'x, '.repeat(5_000)}`)).toHaveLength(2_001);
  expect(maskedParameters(['abc', 1, null, undefined, new Date(), [1, 2], Buffer.alloc(3), { a: 1 }, true])).toEqual([
    'string(3)',
    'number',
    'null',
    'null',
    'date',
    'array(2)',
    'bytes(3)',
    'object',
    'boolean',
  ]);
});
