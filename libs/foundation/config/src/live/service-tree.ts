import { type ConfigClass, MASK, shapeOf } from '@core-infra/kernel';
import type { DeclaredReading } from '../configuration.js';
import type { EnvVariables } from '../sources/env.variables.js';

type Node = Record<string, unknown>;

/**
 * What `ConfigService.get('database.pool.max')` reads: every section under its name, as accessors over the views, so that reloads are seen.
 * Sections are put into the object that Nest's own service holds.
 */
export class ServiceTree {
  private readonly views = new Map<string, Map<unknown, object>>();
  private readonly secrets = new WeakMap<object, Set<string>>();

  constructor(private readonly root: object) {}

  /** Shows a section as it was read; replaced by {@link show} once somebody gets it with the values of code. */
  showReading({ section, Config, reading }: DeclaredReading): void {
    if (!this.views.get(section)?.has(Config)) this.show(section, Config, reading.config);
  }

  show(section: string, Config: ConfigClass, view: object): void {
    const views = this.views.get(section) ?? new Map<unknown, object>();
    this.views.set(section, views.set(Config, view));
    const node = section.split('.').reduce<Node>((at, key) => child(at, key), this.root as Node);
    this.hide(node, Config);
    for (const key of Object.keys(view)) {
      const read = () => Reflect.get(views.get(Config)!, key) as unknown;
      Object.defineProperty(node, key, { enumerable: true, configurable: true, get: read });
    }
  }

  /** `JSON.stringify(service.get('database'))` shows its secrets masked, as that of the class does; groups see to their own. */
  private hide(node: Node, Config: ConfigClass): void {
    const known = this.secrets.get(node);
    const secrets = known ?? new Set<string>();
    for (const field of shapeOf(Config).fields) if (field.secret) secrets.add(field.path);
    if (known) return;
    this.secrets.set(node, secrets);
    const shown = (key: string, value: unknown) =>
      secrets.has(key) && value !== undefined && value !== '' ? MASK : value;
    Object.defineProperty(node, 'toJSON', {
      value: () => Object.fromEntries(Object.entries(node).map(([key, value]) => [key, shown(key, value)])),
    });
  }

  /** Variables that only the `.env` files have, or an environment that is not the process's own; the service finds the process's by itself. */
  showVariables(variables: () => EnvVariables): void {
    for (const name of variables().keys()) {
      if (name in this.root || name in process.env) continue;
      Object.defineProperty(this.root, name, {
        enumerable: false,
        configurable: true,
        get: () => variables().get(name)?.value,
      });
    }
  }
}

function child(node: Node, key: string): Node {
  const found = Object.hasOwn(node, key) ? node[key] : undefined;
  if (typeof found === 'object' && found !== null) return found as Node;
  const made: Node = {};
  Object.defineProperty(node, key, { enumerable: true, configurable: true, value: made });
  return made;
}
