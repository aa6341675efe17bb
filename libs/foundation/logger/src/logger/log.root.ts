import { AppInfo, Clock, ConfigSource, RequestContext } from '@core-infra/kernel';
import type { pino } from 'pino';
import { isThreshold, levelValues } from '../levels.js';
import { ContextFragment } from '../line/context.fragment.js';
import { JsonEncoder } from '../line/json.encoder.js';
import { RedactionRules } from '../line/redaction.rules.js';
import type { LoggingConfig } from '../logging.config.js';
import { channelOf } from '../output/channel.options.js';
import { openOutputs, type Outputs, reportToStderr } from '../output/open-outputs.js';
import { AppLogger, type LogFields } from './app.logger.js';
import { LastWords } from './last-words.js';
import { LineLimiter } from './line.limiter.js';
import { type LevelRef, LogLevels } from './log.levels.js';
import type { LoggerSite } from './logger.site.js';
import { makePino, PinoLine } from './pino.line.js';

export interface LogRootOptions {
  readonly config: LoggingConfig;
  readonly app?: AppInfo;
  readonly context?: RequestContext;
  readonly source?: ConfigSource;
  readonly clock?: Clock;
}

/** Everything behind an app's loggers: destinations, levels, limits. One per app. */
export class LogRoot implements LoggerSite {
  /** The pino logger below, for libraries that ask for one. Its lines are redacted and carry the context like all others. */
  readonly pino: pino.Logger;
  readonly levels: LogLevels;
  /** @internal Whom the lines serve. */
  readonly serving: ContextFragment;
  /** @internal */
  readonly encoder: JsonEncoder;
  limiter: LineLimiter | undefined;
  private readonly outputs: Outputs;
  private readonly channels: ReadonlyMap<string, pino.Logger>;
  private readonly loggers = new Map<string, AppLogger>();
  private readonly lastWords: LastWords;
  private readonly stopListening: (() => void) | undefined;
  private readonly config: LoggingConfig;
  private readonly clock: Clock;

  constructor({
    config,
    app = AppInfo.unknown,
    context = RequestContext.none,
    source,
    clock = Clock.system,
  }: LogRootOptions) {
    this.config = config;
    this.clock = clock;
    this.encoder = new JsonEncoder(new RedactionRules(config.redact), config.maxTextLength);
    this.serving = new ContextFragment(context);
    this.levels = new LogLevels(config, app);
    this.outputs = openOutputs(config, app, reportToStderr);
    const parts = {
      encoder: this.encoder,
      context: this.serving,
      now: () => clock.now(),
      app: app.name,
      instance: app.instance,
    };
    this.pino = makePino(this.outputs.main, parts);
    this.channels = new Map([...this.outputs.channels].map(([name, output]) => [name, makePino(output, parts)]));
    this.refresh();
    this.stopListening = source?.onChange('logging', () => this.refresh());
    this.lastWords = new LastWords({
      flush: () => this.flush(),
      flushSync: () => this.flushSync(),
      uncaught: config.uncaught ? (error, origin) => this.named('process').fatal(origin, { err: error }) : undefined,
    });
  }

  named(name: string, bindings?: LogFields): AppLogger {
    if (bindings) return this.make(this.pino, name, this.levels.of(name), bindings);
    const known = this.loggers.get(name);
    if (known) return known;
    const logger = this.make(this.pino, name, this.levels.of(name));
    // Names may be data; what is remembered is bounded.
    if (this.loggers.size < 5_000) this.loggers.set(name, logger);
    return logger;
  }

  channel(channel: string, name: string, bindings?: LogFields): AppLogger {
    const options = Object.hasOwn(this.config.channels, channel) ? channelOf(this.config.channels[channel]!) : {};
    const own = options.level ?? (options.filePath === undefined ? undefined : 'trace');
    const level = isThreshold(own) ? { value: levelValues[own] } : this.levels.of(name);
    return this.make(this.channels.get(channel) ?? this.pino, name, level, bindings, channel);
  }

  /** Resolves when what was logged so far is with the system. */
  async flush(): Promise<void> {
    await Promise.all(this.outputs.writers.map(writer => writer.flush()));
  }

  flushSync(): void {
    for (const writer of this.outputs.writers) writer.flushSync();
  }

  /** Writes everything out and lets go of the files. Lines that come later are written one by one, at once. */
  async close(): Promise<void> {
    this.stopListening?.();
    await Promise.all(this.outputs.writers.map(writer => writer.close()));
    this.lastWords.stop();
  }

  /** Puts the live part of the configuration into force. */
  private refresh(): void {
    this.levels.refresh();
    this.pino.level = this.levels.level;
    const limiter = new LineLimiter(this.config.limits, () => this.clock.monotonic());
    this.limiter = limiter.active ? limiter : undefined;
  }

  private make(root: pino.Logger, name: string, level: LevelRef, bindings?: LogFields, channel?: string): AppLogger {
    const line = PinoLine.named(root, name, channel);
    return new AppLogger(this, name, bindings ? line.child(bindings) : line, level, bindings);
  }
}
