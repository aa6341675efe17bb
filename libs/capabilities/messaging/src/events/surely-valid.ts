import { getMetadataStorage, type ValidationArguments } from 'class-validator';

/** Of one property, what says whether it is checked, and what it is checked by. */
interface Rules {
  readonly property: string;
  readonly conditions: readonly ((object: object, value: unknown) => unknown)[];
  readonly checks: readonly Check[];
}

interface Check {
  readonly each: boolean;
  readonly constraints: unknown[];
  readonly appliesTo?: ((object: object, value: unknown) => boolean) | undefined;
  validate(value: unknown, args: ValidationArguments): unknown;
}

type Metadata = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

/** Rules of a class, put together once; `unknown` where only class-validator itself knows how. */
const known = new WeakMap<object, readonly Rules[] | 'unknown'>();

/**
 * Whether `validateSync` finds nothing wrong, for certain. It looks up and sorts decorators anew each time; here that is done once for a class.
 * @returns `false` also when it cannot be told: then `validateSync` has to
 */
export function isSurelyValid(object: object): boolean {
  const { constructor } = object;
  if (typeof constructor !== 'function') return false;
  let all = known.get(constructor);
  if (!all) known.set(constructor, (all = rulesOf(constructor) ?? 'unknown'));
  if (all === 'unknown') return false;
  try {
    for (const rules of all) if (!holds(rules, object, constructor.name)) return false;
    return true;
  } catch {
    return false; // it throws there as well
  }
}

function holds({ property, conditions, checks }: Rules, object: object, targetName: string): boolean {
  const value = (object as Record<string, unknown>)[property];
  for (const condition of conditions) if (!condition(object, value)) return true;
  for (const check of checks) {
    if (check.appliesTo && !check.appliesTo(object, value)) continue;
    const args = { targetName, property, object, value, constraints: check.constraints };
    if (check.each && (value instanceof Set || value instanceof Map)) return false;
    if (check.each && Array.isArray(value)) {
      for (const one of value as unknown[]) if (check.validate(one, args) !== true) return false;
    } else if (check.validate(value, args) !== true) return false;
  }
  return true;
}

function rulesOf(constructor: Function): readonly Rules[] | undefined {
  const byProperty = new Map<string, { conditions: Rules['conditions'][number][]; checks: Check[] }>();
  for (const metadata of getMetadataStorage().getTargetValidationMetadatas(
    constructor,
    undefined as never,
    false,
    false,
  )) {
    const { propertyName, type } = metadata;
    let rules = byProperty.get(propertyName);
    if (!rules) byProperty.set(propertyName, (rules = { conditions: [], checks: [] }));
    if (type === 'whitelistValidation') continue;
    if (type === 'conditionalValidation') rules.conditions.push(metadata.constraints[0] as never);
    else {
      const checks = type === 'customValidation' || type === 'isDefined' ? checksOf(metadata) : undefined;
      if (!checks) return undefined;
      rules.checks.push(...checks);
    }
  }
  return [...byProperty].map(([property, rules]) => ({ property, ...rules }));
}

/** Only those that class-validator makes of its own decorators: an app's own class may be another one each time it is asked for. */
function checksOf({ constraintCls, each, constraints, validateIf }: Metadata): readonly Check[] | undefined {
  const found = getMetadataStorage().getTargetValidatorConstraints(constraintCls);
  if (constraintCls?.name !== 'CustomConstraint' || found.some(({ async }) => async)) return undefined;
  return found.map(({ instance }) => ({
    each: each ?? false,
    constraints,
    appliesTo: validateIf,
    validate: (value, args) => instance.validate(value, args),
  }));
}
