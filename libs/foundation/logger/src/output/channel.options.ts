import { isThreshold, type LogThreshold, logThresholds } from '../levels.js';

/** A channel's own destination. */
export interface ChannelOptions {
  /** A file of its own, rotated like the main one. Without it, lines go where all others go. */
  filePath?: string;
  /** The least level that is written on this channel, whatever the logger's. @default 'trace', when it has a file */
  level?: LogThreshold;
  /** Whether its lines go to the main destinations as well. @default false, when it has a file */
  also?: boolean;
}

const known: Record<string, keyof ChannelOptions> = {
  filePath: 'filePath',
  file_path: 'filePath',
  level: 'level',
  also: 'also',
};

/** What is wrong with the channels, each as what was expected. */
export function* channelProblems(channels: Record<string, unknown>): Iterable<string> {
  for (const [name, value] of Object.entries(channels)) {
    if (typeof value !== 'object' || value === null) {
      yield `an object for the channel "${name}"`;
      continue;
    }
    for (const key of Object.keys(value))
      if (!Object.hasOwn(known, key)) yield `filePath, level or also in the channel "${name}", not "${key}"`;
    const { filePath, level, also } = channelOf(value);
    if (filePath !== undefined && (typeof filePath !== 'string' || filePath === ''))
      yield `a path as filePath of the channel "${name}"`;
    if (level !== undefined && !isThreshold(level))
      yield `one of ${logThresholds.join(', ')} as level of the channel "${name}"`;
    if (also !== undefined && typeof also !== 'boolean') yield `true or false as also of the channel "${name}"`;
  }
}

/** The options under their own names, whichever spelling a file used. */
export function channelOf(value: object): ChannelOptions {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [known[key] ?? key, item as unknown]));
}
