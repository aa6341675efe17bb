import { InfraError, reasonOf } from '@core-infra/kernel';
import type { CheckDefinition } from './check.definition.js';
import type { CheckStatus } from './health.report.js';

/** How one run of a check ended. */
export interface Outcome {
  readonly status: CheckStatus;
  readonly reason?: string;
  readonly code?: string;
  readonly error?: unknown;
  readonly details?: Record<string, unknown>;
}

type Fields = Record<string, unknown>;

/** How much is kept of a reason, in characters, and of details, as JSON: both are held per check, and a reason once more per change. */
const maxReason = 1_000;
const maxDetails = 65_536;

const severity: Record<CheckStatus, number> = { up: 0, degraded: 1, down: 2 };

/** Runs a check; whatever it does, the result is a value. */
export async function settle({ name, run, terminus }: CheckDefinition, signal: AbortSignal): Promise<Outcome> {
  try {
    return readResult(name, await run(signal), terminus ?? false);
  } catch (error) {
    return failure(error);
  }
}

export function failure(error: unknown): Outcome {
  return { status: 'down', error, reason: describe(error), code: codeOf(error) };
}

/** A check that resolves is up, unless it says otherwise: in our way (`degraded`) or in Terminus' (`{ name: { status } }`). */
function readResult(name: string, result: unknown, terminus: boolean): Outcome {
  if (!isFields(result)) return { status: 'up' };
  const indicators = Object.entries(result).filter(
    ([key, value]) => (terminus || key === name) && isFields(value) && isStatus(value.status),
  ) as [string, Fields & { status: CheckStatus }][];
  if (indicators.length > 0) return fromTerminus(indicators);
  const { degraded, ...details } = result;
  const limps = degraded !== undefined && degraded !== false && degraded !== '';
  return {
    status: limps ? 'degraded' : 'up',
    ...(limps ? { reason: typeof degraded === 'string' ? short(maskCredentials(degraded)) : 'degraded' } : {}),
    details: toPlain(details),
  };
}

/** One indicator may answer for several keys: the worst of them counts. */
function fromTerminus(indicators: [string, Fields & { status: CheckStatus }][]): Outcome {
  const worst = indicators.reduce((a, b) => (severity[b[1].status] > severity[a[1].status] ? b : a));
  const { status, ...rest } = worst[1];
  const details = toPlain(indicators.length === 1 ? rest : Object.fromEntries(indicators));
  if (status === 'up') return { status, details };
  const reason =
    typeof rest.message === 'string' ? short(maskCredentials(rest.message)) : `the indicator says ${status}`;
  return { status, reason, details, ...(status === 'down' ? { error: new Error(reason) } : {}) };
}

/** An error in words. Anything can be thrown, also what has no words. */
function describe(error: unknown): string {
  try {
    return short(
      maskCredentials((error instanceof InfraError ? error.problem : reasonOf(error)) || 'failed without a message'),
    );
  } catch {
    return 'failed with a value that has no text'; // its own toString throws, and there is nothing more to tell
  }
}

function codeOf(error: unknown): string | undefined {
  const code = isFields(error) || error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

const short = (text: string) => (text.length > maxReason ? `${text.slice(0, maxReason)}…` : text);

/** `redis://user:secret@host` becomes `redis://***@host`. */
function maskCredentials(text: string): string {
  return text.replace(/\/\/[^\s/@]*:[^\s/]*@/g, '//***@');
}

/** What JSON can carry of the details, so that an answer never fails for them. */
function toPlain(details: Fields): Fields | undefined {
  if (Object.keys(details).length === 0) return undefined;
  try {
    const text = JSON.stringify(details, (_key, value: unknown) => {
      if (typeof value === 'bigint') return String(value);
      if (value instanceof Error) return describe(value);
      return typeof value === 'string' ? maskCredentials(value) : value;
    });
    if (text.length > maxDetails) return { unreadable: `${text.length} characters are more than ${maxDetails}` };
    return JSON.parse(text) as Fields;
  } catch (error) {
    return { unreadable: describe(error) };
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStatus(value: unknown): value is CheckStatus {
  return value === 'up' || value === 'degraded' || value === 'down';
}
