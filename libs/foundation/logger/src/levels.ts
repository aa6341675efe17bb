/** From the most talkative to the gravest. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

export type LogLevel = (typeof logLevels)[number];

/** A threshold may also be `silent`, which nothing passes. */
export type LogThreshold = LogLevel | 'silent';

export const logThresholds: readonly LogThreshold[] = [...logLevels, 'silent'];

/** pino's numbers. */
export const levelValues: Readonly<Record<LogThreshold, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: Number.POSITIVE_INFINITY,
};

export function isThreshold(value: unknown): value is LogThreshold {
  return typeof value === 'string' && Object.hasOwn(levelValues, value);
}
