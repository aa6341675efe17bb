import { isForbiddenKey } from '@core-infra/kernel';
import { SourceProblem } from './problems.js';
import type { TreeNode } from './tree.js';

/** What the command line says of the configuration. */
export interface Flags {
  readonly root: TreeNode;
  /** `--config-dir`. */
  readonly directory?: string;
  readonly problems: readonly SourceProblem[];
}

interface Draft {
  value?: string;
  source: string;
  children: Map<string, Draft>;
}

/** Reads `--database.host=db`, `--database.pool.max 5`, `--database.echo` (true) and `--config-dir <folder>`; leaves everything else alone. */
export function readFlags(argv: readonly string[]): Flags {
  const root: Draft = { source: 'flags', children: new Map() };
  const problems: SourceProblem[] = [];
  let directory: string | undefined;
  for (let index = 0; index < argv.length && argv[index] !== '--'; index += 1) {
    const [, name, inline] = /^--([A-Za-z_][\w-]*(?:\.[\w-]+)*)(?:=(.*))?$/s.exec(argv[index]!) ?? [];
    if (name === undefined || (name !== 'config-dir' && !name.includes('.'))) continue;
    const next = argv[index + 1];
    const takesNext = inline === undefined && next !== undefined && !next.startsWith('--');
    if (takesNext) index += 1;
    const value = inline ?? (takesNext ? next : 'true');
    if (name === 'config-dir') directory = value;
    else if (name.split('.').some(isForbiddenKey)) {
      problems.push(new SourceProblem(`flag --${name}`, 'a key that is not reserved by JavaScript', name));
    } else set(root, name, value);
  }
  return { root: finish('', root), directory, problems };
}

function set(root: Draft, name: string, value: string): void {
  let at = root;
  for (const key of name.split('.')) {
    let next = at.children.get(key);
    if (!next) at.children.set(key, (next = { source: `flag --${name}`, children: new Map() }));
    at = next;
  }
  at.value = value;
  at.source = `flag --${name}`;
}

function finish(key: string, { value, source, children }: Draft): TreeNode {
  if (children.size === 0) return { key, source, value: value ?? {}, children: value === undefined ? [] : undefined };
  const nodes = [...children].map(([child, draft]) => finish(child, draft));
  return { key, source, children: nodes, value: Object.fromEntries(nodes.map(node => [node.key, node.value])) };
}
