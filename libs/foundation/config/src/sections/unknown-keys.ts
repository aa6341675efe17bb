import { type ConfigClass, type ConfigProblem, nearest } from '@core-infra/kernel';
import { camelKey, camelPath, type TreeNode } from '../sources/tree.js';
import { keysOf } from './section-keys.js';

/** Every section that somebody reads, with the classes that read it. */
export type DeclaredSections = ReadonlyMap<string, readonly ConfigClass[]>;

interface SectionTree {
  readonly path: string;
  readonly classes: ConfigClass[];
  readonly children: Map<string, SectionTree>;
}

/**
 * Keys and sections that nobody knows, each with the nearest name that somebody does.
 * @param lenient leaves unknown sections alone unless their name is close to a known one: other programs have flags too
 */
export function findUnknownKeys(root: TreeNode, declared: DeclaredSections, lenient: boolean = false): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const report = (key: string, node: TreeNode, kind: string, known: Iterable<string>, prefix = '') => {
    const close = nearest(key.slice(prefix.length), known);
    if (lenient && kind === 'section' && !close) return;
    const expected = `a known ${kind}${close ? ` (did you mean ${prefix}${close}?)` : ''}`;
    problems.push({ key, source: node.source, expected });
  };

  const inSection = (nodes: readonly TreeNode[], tree: SectionTree, prefix: string) => {
    for (const node of nodes) {
      const path = prefix + camelKey(node.key);
      const below = prefix === '' ? tree.children.get(camelKey(node.key)) : undefined;
      const meanings = tree.classes.flatMap(Config => keysOf(Config).get(path) ?? []);
      if (below) enter(node, below);
      else if (meanings.length === 0) {
        const section = `${tree.path}.`;
        const written = section + prefix + node.key;
        const known = tree.classes.flatMap(Config => [...keysOf(Config).keys()]);
        report(
          written,
          node,
          tree.path.endsWith('.connections') ? 'connection' : 'key',
          [...known, ...tree.children.keys()],
          section,
        );
      } else if (meanings.every(({ kind }) => kind === 'group')) {
        if (node.children) inSection(node.children, tree, `${path}.`);
        else notAGroup(`${tree.path}.${path}`, node);
      }
    }
  };
  const enter = (node: TreeNode, tree: SectionTree) => {
    if (node.children) inSection(node.children, tree, '');
    else notAGroup(tree.path, node);
  };
  const notAGroup = (key: string, node: TreeNode) => {
    if (node.value !== null) {
      problems.push({ key, source: node.source, expected: 'a group of keys', got: sortOf(node.value) });
    }
  };

  const tree = treeOf(declared);
  for (const node of root.children ?? []) {
    const section = tree.children.get(camelKey(node.key));
    if (section) enter(node, section);
    else report(node.key, node, 'section', tree.children.keys());
  }
  return problems;
}

/** The sort of a value and not the value, which may be a whole DSN. */
function sortOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}

function treeOf(declared: DeclaredSections): SectionTree {
  const root: SectionTree = { path: '', classes: [], children: new Map() };
  for (const [section, classes] of declared) {
    let at = root;
    for (const key of camelPath(section).split('.')) {
      let next = at.children.get(key);
      if (!next)
        at.children.set(key, (next = { path: at.path ? `${at.path}.${key}` : key, classes: [], children: new Map() }));
      at = next;
    }
    at.classes.push(...classes);
  }
  return root;
}
