import { inspect, type InspectOptions } from 'node:util';
import type { ConfigShape } from './fields.js';

/** What stands in messages, logs and JSON in place of a secret. */
export const MASK = '****';

/**
 * Makes `util.inspect`, `console.log` and `JSON.stringify` of a configuration show its secrets masked, also those of its groups.
 * Reading a field, spreading and `Object.entries` give the values themselves.
 */
export function hideSecrets<C extends object>(config: C, shape: ConfigShape, always: boolean = false): C {
  const secrets = new Set(shape.fields.filter(field => field.secret).map(field => field.path));
  const hideIn = (node: object, prefix: string) => {
    const own = new Set([...secrets].filter(path => parentOf(path) === prefix).map(path => path.slice(prefix.length)));
    if (own.size > 0 || always) hide(node, own);
    for (const group of shape.groups.keys()) {
      const value: unknown = parentOf(group) === prefix && Reflect.get(node, group.slice(prefix.length));
      if (typeof value === 'object' && value !== null) hideIn(value, `${group}.`);
    }
  };
  hideIn(config, '');
  return config;
}

/** `pool.max` → `pool.`; `max` → ``. */
function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('.') + 1);
}

function hide(node: object, secrets: ReadonlySet<string>): void {
  const masked = () =>
    Object.fromEntries(
      Object.entries(node).map(([key, value]) => [
        key,
        secrets.has(key) && value !== undefined && value !== '' ? MASK : (value as unknown),
      ]),
    );
  Object.defineProperties(node, {
    [inspect.custom]: {
      value: (depth: number, options: InspectOptions) =>
        depth < 0
          ? `[${node.constructor.name}]`
          : `${node.constructor.name} ${inspect(masked(), { ...options, depth })}`,
    },
    toJSON: { value: masked },
  });
}
