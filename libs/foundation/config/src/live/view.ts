import { type ConfigClass, type ConfigShape, hideSecrets, shapeOf } from '@core-infra/kernel';

/** Where a live field's value is. */
interface Cell {
  value: unknown;
}

/** An instance of a configuration class that cannot be written to, and the cells its live fields are read from. */
export interface View<C> {
  readonly view: C;
  readonly cells: ReadonlyMap<string, Cell>;
}

/**
 * Makes a read-only instance of a class: live fields are accessors over a cell, so that a read costs a property access and a reload is
 * seen at once; all others are plain values. Nested groups are views of their classes.
 * @param valueOf the value of a field, by its path
 */
export function viewOf<C extends object>(Config: ConfigClass<C>, valueOf: (path: string) => unknown): View<C> {
  const shape = shapeOf(Config);
  const cells = new Map<string, Cell>();
  const build = (Class: ConfigClass, prefix: string): object => {
    const node = Object.create(Class.prototype as object) as object;
    for (const [key, path] of childrenOf(shape, prefix)) {
      const group = shape.groups.get(path);
      if (group) {
        if (!isAbsent(shape, path, valueOf)) define(node, key, { value: build(group, `${path}.`) });
        continue;
      }
      const value = valueOf(path);
      if (isLive(shape, path)) {
        const cell: Cell = { value };
        cells.set(path, cell);
        define(node, key, { get: () => cell.value });
      } else if (value !== undefined) define(node, key, { value });
    }
    return node;
  };
  const view = build(Config, '') as C;
  hideSecrets(view, shape, true);
  freezeNodes(view, shape);
  return { view, cells };
}

function define(node: object, key: string, descriptor: PropertyDescriptor): void {
  Object.defineProperty(node, key, { enumerable: true, ...descriptor });
}

function isLive({ fields }: ConfigShape, path: string): boolean {
  return fields.some(field => field.live && field.path === path);
}

/** A group without an initialiser that nobody set: there is nothing to show, unless a reload may set it. */
function isAbsent(shape: ConfigShape, group: string, valueOf: (path: string) => unknown): boolean {
  const inside = shape.fields.filter(({ path }) => path.startsWith(`${group}.`));
  return inside.every(({ path, live }) => !live && valueOf(path) === undefined);
}

/** Keys directly under a prefix with their paths, groups and fields alike. */
function childrenOf({ fields, groups }: ConfigShape, prefix: string): [key: string, path: string][] {
  return [...fields.map(field => field.path), ...groups.keys()]
    .filter(path => path.startsWith(prefix) && !path.slice(prefix.length).includes('.'))
    .map(path => [path.slice(prefix.length), path]);
}

function freezeNodes(view: object, { groups }: ConfigShape): void {
  for (const path of groups.keys()) {
    const node = path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], view);
    if (typeof node === 'object' && node !== null) Object.freeze(node);
  }
  Object.freeze(view);
}
