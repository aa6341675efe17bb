import type { AppInfo, Clock, ContextFields } from '@core-infra/kernel';
import type { FlagContext } from '../feature-flags.js';

/** Who asks: what the caller passed, over what is known of the running request. */
export interface Asker {
  readonly passed: FlagContext | undefined;
  readonly request: Readonly<ContextFields> | undefined;
}

/** Reads one attribute of who asks. */
export type ReadAttribute = (passed: FlagContext | undefined, request: Readonly<ContextFields> | undefined) => unknown;

/** Where rules find the time of the app's clock, in seconds; flagd's engine knows only the machine's. */
export const CLOCK_ATTRIBUTE = '$clock';

const ofTheRequest = { targetingKey: 'userId', userId: 'userId', tenantId: 'tenantId' } as const;

/** How an attribute is read without building the whole context; `undefined` for one that needs that. */
export function readerOf(name: string): ReadAttribute | undefined {
  if (!/^[A-Za-z_][\w-]*$/.test(name) || name in Object.prototype || name === 'app') return undefined;
  if (!Object.hasOwn(ofTheRequest, name)) return passed => passed?.[name];
  const field = ofTheRequest[name as keyof typeof ofTheRequest];
  return (passed, request) => {
    const own = passed?.[name];
    return own === undefined ? request?.[field] : own;
  };
}

/** Builds the context that flagd's engine evaluates rules on. */
export class ContextBuilder {
  private readonly app: Readonly<Record<string, string>>;

  constructor(
    app: AppInfo,
    private readonly clock: Clock,
  ) {
    this.app = Object.freeze({ name: app.name, version: app.version, environment: app.environment });
  }

  build({ passed, request }: Asker): Record<string, unknown> {
    const built: Record<string, unknown> = { ...passed, [CLOCK_ATTRIBUTE]: Math.floor(this.clock.now() / 1_000) };
    if (built['targetingKey'] === undefined) built['targetingKey'] = request?.userId;
    if (built['userId'] === undefined) built['userId'] = request?.userId;
    if (built['tenantId'] === undefined) built['tenantId'] = request?.tenantId;
    if (built['app'] === undefined) built['app'] = this.app;
    return built;
  }
}

/** The rules with the app's clock instead of the machine's. */
export function onClock(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(onClock);
  if (typeof node !== 'object' || node === null) return node;
  const { var: name } = node as { var?: unknown };
  const path: unknown = Array.isArray(name) ? name[0] : name;
  if (path === '$flagd.timestamp') return { var: CLOCK_ATTRIBUTE };
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, onClock(value)]));
}
