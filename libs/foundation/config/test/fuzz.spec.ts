import * as fc from 'fast-check';
import { parseDotenv } from '../src/sources/env.variables.js';
import { parseTree } from '../src/sources/document.js';
import { readFlags } from '../src/sources/flags.js';
import { SourceProblem } from '../src/sources/problems.js';
import { spellings } from '../src/schema/spellings.js';
import { camelKey, type TreeNode } from '../src/sources/tree.js';

const yamlish = fc.array(
  fc.constantFrom(
    'a',
    'b:',
    ': ',
    '- ',
    '\n',
    '  ',
    '{',
    '}',
    '[',
    ']',
    ',',
    '&x ',
    '*x',
    '<<: ',
    '"',
    "'",
    '|',
    '#',
    '!t ',
    '1',
    '\t',
    '? ',
  ),
  { maxLength: 40 },
);

function* keysOf(node: TreeNode): Generator<TreeNode> {
  yield node;
  for (const child of node.children ?? []) yield* keysOf(child);
}

describe('hostile text', () => {
  it('in a file is either a tree that knows its places, or one problem', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          yamlish.map(parts => parts.join('')),
        ),
        fc.constantFrom('x.yaml', 'x.json'),
        (text, label) => {
          try {
            const root = parseTree(text, label);
            for (const node of keysOf(root)) expect(node.source).toMatch(/^x\.(yaml|json)(:\d+)?$/);
          } catch (error) {
            expect(error).toBeInstanceOf(SourceProblem);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('that is JSON is read as JSON reads it', () => {
    const json = fc
      .dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue({ maxDepth: 2 }))
      .filter(value => !/"(__proto__|constructor|prototype|<<)":/.test(JSON.stringify(value)));
    fc.assert(
      fc.property(json, value =>
        expect(parseTree(JSON.stringify(value), 'x.json').value).toEqual(JSON.parse(JSON.stringify(value))),
      ),
    );
  });

  it('in .env is read or one problem', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        try {
          for (const { line } of parseDotenv(text, '.env').values.values()) expect(line).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(SourceProblem);
        }
      }),
    );
  });

  it('in flags pollutes nothing', () => {
    const part = fc.constantFrom('a', '__proto__', 'constructor', 'b-c', 'prototype');
    fc.assert(
      fc.property(fc.array(fc.array(part, { minLength: 1, maxLength: 4 })), names => {
        const { root } = readFlags(names.map(parts => `--${parts.join('.')}=x`));
        for (const { key } of keysOf(root)) expect(['__proto__', 'constructor', 'prototype']).not.toContain(key);
        expect(({} as Record<string, unknown>).x).toBeUndefined();
      }),
    );
  });
});

describe('spellings', () => {
  it('are all read back as the field', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{1,6}([A-Z][a-z]{1,5}){0,3}$/), key => {
        for (const spelling of spellings(key)) expect(camelKey(spelling)).toBe(key);
      }),
    );
  });
});
