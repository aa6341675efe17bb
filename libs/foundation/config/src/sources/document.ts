import { isForbiddenKey } from '@core-infra/kernel';
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument, type Pair } from 'yaml';
import { SourceProblem } from './problems.js';
import type { TreeNode } from './tree.js';

/** Values that one file may hold, with its aliases expanded. */
const MAX_VALUES = 20_000;
const MAX_DEPTH = 32;

/**
 * Reads YAML, or JSON when `label` ends in `.json`, into a tree that knows its lines. An empty document is an empty tree.
 * @throws SourceProblem with the line: broken syntax, a key twice, a root that is no map, a key such as `__proto__`, an alias bomb
 */
export function parseTree(text: string, label: string): TreeNode {
  if (label.endsWith('.json')) assertJson(text, label);
  const lines = new LineCounter();
  const document = parse(text, label, lines);
  const at = (node: unknown, fallback: string) => {
    const range = (node as { range?: readonly number[] | null } | null)?.range;
    return range ? `${label}:${lines.linePos(range[0]!).line}` : fallback;
  };
  let values = 0;

  const read = (key: string, node: unknown, source: string, depth: number): TreeNode => {
    if ((values += 1) > MAX_VALUES || depth > MAX_DEPTH) {
      throw new SourceProblem(source, `at most ${MAX_VALUES} values, ${MAX_DEPTH} deep, with aliases expanded`);
    }
    if (isAlias(node)) {
      const target = node.resolve(document) as Node | undefined;
      if (!target) throw new SourceProblem(source, 'an alias of an anchor that stands before it', `*${node.source}`);
      return read(key, target, source, depth + 1);
    }
    if (isMap(node)) {
      const children = (node.items as Pair[]).flatMap(pair => readPair(pair, source, depth));
      const own = withoutOverridden(children);
      return { key, source, children: own, value: Object.fromEntries(own.map(child => [child.key, child.value])) };
    }
    if (isSeq(node)) {
      const items = (node.items as unknown[]).map((item, index) => {
        if (isPair(item)) throw new SourceProblem(at(item.key, source), 'a list of values');
        return read(String(index), item, at(item, source), depth + 1).value;
      });
      return { key, source, value: items };
    }
    if (!isScalar(node)) return { key, source, value: null };
    return { key, source, value: node.value, text: typeof node.value === 'number' ? node.source : undefined };
  };

  const readPair = (pair: Pair, parent: string, depth: number): (TreeNode & { merged?: boolean })[] => {
    const source = at(pair.key, parent);
    if (!isScalar(pair.key)) throw new SourceProblem(source, 'a key of text');
    const key = String(pair.key.value);
    if (isForbiddenKey(key)) throw new SourceProblem(source, 'a key that is not reserved by JavaScript', key);
    if (key !== '<<') return [read(key, pair.value, source, depth + 1)];
    const target = isAlias(pair.value) ? pair.value.resolve(document) : pair.value;
    const parts: unknown[] = isSeq(target) ? target.items : [target];
    return parts.flatMap(part => {
      const { children } = read(key, part, source, depth + 1);
      if (!children) throw new SourceProblem(source, 'a map to merge');
      return children.map(child => ({ ...child, merged: true }));
    });
  };

  const root = read('', document.contents, label, 0);
  if (root.value === null) return { ...root, children: [], value: {} };
  if (!root.children)
    throw new SourceProblem(`${label}:1`, 'a map of sections', Array.isArray(root.value) ? 'a list' : 'a value');
  return root;
}

function parse(text: string, label: string, lineCounter: LineCounter): ReturnType<typeof parseDocument> {
  const document = attempt(label, () => parseDocument(text, { lineCounter }));
  const error = document.errors[0] ?? document.warnings.find(warning => warning.code === 'TAG_RESOLVE_FAILED');
  if (error) {
    const line = error.linePos?.[0].line ?? 1;
    const message = withoutContent(error.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, ''));
    const expected = error.code === 'DUPLICATE_KEY' ? 'each key once' : 'valid YAML';
    throw new SourceProblem(`${label}:${line}`, expected, message);
  }
  return document;
}

/** Parsers quote what they stumbled over, which may be a password. */
function withoutContent(message: string): string {
  return message.replace(/"(?:[^"\\]|\\.)*"?/gs, '"…"').replace(/'(?:[^'\\]|\\.){2,}'/gs, "'…'");
}

/** A parser that gives up on hostile nesting throws a RangeError. */
function attempt<T>(label: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new SourceProblem(label, 'valid YAML', (error as Error).message);
  }
}

/** YAML takes comments and bare words, which a file named `.json` may not have. */
function assertJson(text: string, label: string): void {
  if (text.trim() === '') return;
  try {
    JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    const line = /line (\d+)/.exec(message)?.[1] ?? text.split('\n').length;
    throw new SourceProblem(
      `${label}:${line}`,
      'valid JSON',
      withoutContent(message.replace(/, .*is not valid JSON$| at position.*/s, '')),
    );
  }
}

/** A key that is written out wins over the same key merged in by `<<`; of two that are merged in, the first. */
function withoutOverridden(children: readonly (TreeNode & { merged?: boolean })[]): TreeNode[] {
  const written = new Set(children.filter(child => !child.merged).map(child => child.key));
  const seen = new Set<string>();
  return children.filter(child => {
    if (!child.merged) return true;
    if (written.has(child.key) || seen.has(child.key)) return false;
    seen.add(child.key);
    return true;
  });
}
