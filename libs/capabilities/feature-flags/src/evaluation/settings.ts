import type { FlagDefinition, FlagDocument, FlagSetting, RolloutSetting } from '../flag-document.js';
import { rolloutRule } from './rollout.js';

/** The flags of the configuration as flagd would define them. What is neither of the forms comes out as it is, for the validation to refuse. */
export function documentOf(settings: Readonly<Record<string, FlagSetting>>): FlagDocument {
  return { flags: Object.fromEntries(Object.entries(settings).map(([key, setting]) => [key, definitionOf(setting)])) };
}

const shortKeys = new Set(['rollout', 'users', 'roles', 'requires']);

function definitionOf(setting: FlagSetting): FlagDefinition {
  if (typeof setting === 'boolean') return { ...booleanFlag(), defaultVariant: setting ? 'on' : 'off' };
  if (typeof setting === 'string' || typeof setting === 'number')
    return { state: 'ENABLED', variants: { value: setting }, defaultVariant: 'value' };
  const isShort =
    typeof setting === 'object' &&
    setting !== null &&
    !Array.isArray(setting) &&
    Object.keys(setting).every(key => shortKeys.has(key));
  return isShort ? rolloutFlag(setting as RolloutSetting) : (setting as FlagDefinition);
}

function booleanFlag(): FlagDefinition {
  return { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };
}

function rolloutFlag({ rollout = 0, users = [], roles = [], requires }: RolloutSetting): FlagDefinition {
  const rules: unknown[] = [];
  if (users.length > 0) rules.push({ in: [{ var: 'targetingKey' }, [...users]] }, 'on');
  if (roles.length > 0) rules.push({ some: [{ var: 'roles' }, { in: [{ var: '' }, [...roles]] }] }, 'on');
  const rest = rolloutRule(rollout);
  return {
    ...booleanFlag(),
    targeting: rules.length === 0 ? rest : { if: [...rules, rest] },
    ...(requires === undefined ? {} : { metadata: { requires } }),
  };
}

/** What is wrong with the short forms; the long one is for the validation of documents. */
export function* settingProblems(
  settings: Readonly<Record<string, unknown>>,
): Iterable<{ path: string; expected: string }> {
  for (const [key, setting] of Object.entries(settings)) {
    if (typeof setting !== 'object' || setting === null || Array.isArray(setting)) continue;
    if ('state' in setting || 'variants' in setting) continue; // flagd's own
    for (const part of Object.keys(setting))
      if (!shortKeys.has(part))
        yield {
          path: `flags.${key}.${part}`,
          expected: `${[...shortKeys].join(', ')} and nothing else, or state, variants and what else flagd defines`,
        };
    const { rollout, users, roles, requires } = setting as Record<string, unknown>;
    if (rollout !== undefined && !(typeof rollout === 'number' && rollout >= 0 && rollout <= 100))
      yield { path: `flags.${key}.rollout`, expected: 'a percentage from 0 to 100' };
    for (const [name, list] of Object.entries({ users, roles }))
      if (list !== undefined && !(Array.isArray(list) && list.every(item => typeof item === 'string')))
        yield { path: `flags.${key}.${name}`, expected: 'a list of texts' };
    if (requires !== undefined && typeof requires !== 'string')
      yield { path: `flags.${key}.requires`, expected: 'names of flags, parted by commas' };
  }
}
