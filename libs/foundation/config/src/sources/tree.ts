/** A value of a configuration file or a flag, with the place it was written at. */
export interface TreeNode {
  /** As it was written: `pool_size`. */
  readonly key: string;
  /** The value as plain data. */
  readonly value: unknown;
  /** For messages: `config/default.yaml:12`, `flag --database.host`. */
  readonly source: string;
  /** How a number was written, for fields of text: `1.10` is not `1.1`. */
  readonly text?: string;
  /** What is in it, where it is a map. */
  readonly children?: readonly TreeNode[];
}

/** The spelling of the classes: `pool_size` and `pool-size` are `poolSize`. */
export function camelKey(key: string): string {
  return key.replace(/(?<=.)[-_]+([a-zA-Z\d])/g, (_, letter: string) => letter.toUpperCase());
}

/** {@link camelKey} of each part of a dotted path. */
export function camelPath(path: string): string {
  return path.split('.').map(camelKey).join('.');
}

/** The nodes that hold a section, `redis.connections.sessions` for one: several where it is spelled in several ways. */
export function findSection(root: TreeNode, section: string): TreeNode[] {
  return camelPath(section)
    .split('.')
    .reduce<TreeNode[]>(
      (nodes, key) => nodes.flatMap(node => (node.children ?? []).filter(child => camelKey(child.key) === key)),
      [root],
    );
}
