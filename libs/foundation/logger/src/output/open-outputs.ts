import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { AppInfo } from '@core-infra/kernel';
import { levelValues } from '../levels.js';
import { TextFormat } from '../line/text.format.js';
import type { LoggingConfig } from '../logging.config.js';
import { BufferedWriter } from './buffered.writer.js';
import { channelOf } from './channel.options.js';
import { LogOutput, type Sink } from './log.output.js';
import { StdoutTarget } from './log.target.js';
import { RotatingFile } from './rotating.file.js';

/** On a terminal a person is waiting. */
const terminalFlushMs = 10;

/** Every destination that the configuration names. */
export interface Outputs {
  readonly main: LogOutput;
  /** Of channels that have a destination of their own. */
  readonly channels: ReadonlyMap<string, LogOutput>;
  readonly writers: readonly BufferedWriter[];
}

/** Says what is wrong with logging itself. Nothing else can be done where stderr is gone as well. */
export function reportToStderr(text: string): void {
  try {
    writeSync(2, `${text}\n`);
  } catch {
    // stderr is closed, or full like the rest: there is nobody left to tell
  }
}

/** Whether lines are text for people. */
export function isText(config: LoggingConfig, app: AppInfo): boolean {
  if (config.enableJson !== undefined) return !config.enableJson;
  if (config.format !== 'auto') return config.format !== 'json';
  return app.debug || (app.environment === 'development' && isatty(1));
}

export function openOutputs(config: LoggingConfig, app: AppInfo, report: (text: string) => void): Outputs {
  const files = new Map<string, BufferedWriter>();
  const options = { flushIntervalMs: config.flushIntervalMs, maxBufferBytes: config.maxBufferBytes, report };
  // Two destinations of one path share its writer, so that their lines do not mix and it is rotated once.
  const file = (path: string): BufferedWriter => {
    const target = new RotatingFile(path, config, report);
    const known = files.get(target.name);
    if (known) return known;
    const writer = new BufferedWriter(target, options);
    writer.open();
    files.set(target.name, writer);
    return writer;
  };
  const text = isText(config, app);
  const plain = text ? new TextFormat(false) : undefined;
  const terminal = isatty(1);
  const sinks: Sink[] = [];
  const writers: BufferedWriter[] = [];
  if (config.enableConsole ?? config.output !== 'file') {
    const flushIntervalMs = terminal ? Math.min(terminalFlushMs, config.flushIntervalMs) : config.flushIntervalMs;
    const writer = new BufferedWriter(new StdoutTarget(), { ...options, flushIntervalMs });
    writers.push(writer);
    const coloured = terminal && !process.env.NO_COLOR;
    sinks.push({ writer, text: text ? new TextFormat(coloured) : undefined, least: 0 });
  }
  if (config.enableFile ?? config.output !== 'stdout')
    sinks.push({ writer: file(config.filePath), text: plain, least: 0 });
  if (config.errorFilePath !== '')
    sinks.push({ writer: file(config.errorFilePath), text: plain, least: levelValues.error });

  const channels = new Map<string, LogOutput>();
  for (const [name, value] of Object.entries(config.channels)) {
    const channel = channelOf(value);
    if (channel.filePath === undefined) continue;
    const own: Sink = { writer: file(channel.filePath), text: plain, least: 0 };
    channels.set(name, new LogOutput(channel.also === true ? [...sinks, own] : [own]));
  }
  return { main: new LogOutput(sinks), channels, writers: [...writers, ...files.values()] };
}
