import {
  type DynamicModule,
  Inject,
  Injectable,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
  Optional,
  Scope,
} from '@nestjs/common';
import { HttpAdapterHost, INQUIRER } from '@nestjs/core';
import { AppInfo, Clock, ConfigSource, defineBehaviour, RequestContext } from '@core-infra/kernel';
import { AccessLog } from './http/access.log.js';
import { mountAccessLog } from './http/mount.js';
import { AppLogger } from './logger/app.logger.js';
import { loggerNameOf } from './logger/inject-logger.js';
import { LogRoot } from './logger/log.root.js';
import { NestLogger } from './logger/nest.logger.js';
import { pinoLoggerProviders, pinoLoggerTokens, withDecoratedLoggers } from './logger/nestjs-pino.js';
import { LoggingConfig } from './logging.config.js';
import { OperationLog } from './operations/operation.log.js';

const optional = (token: abstract new () => unknown) => ({ token: token as never, optional: true });

/** Mounts what writes lines by itself, and writes the last of them out. */
@Injectable()
class LoggerLifecycle implements OnModuleInit, OnApplicationShutdown {
  private operations: OperationLog | undefined;

  constructor(
    private readonly root: LogRoot,
    private readonly config: LoggingConfig,
    private readonly host: HttpAdapterHost,
    @Optional() @Inject(RequestContext) private readonly context: RequestContext = RequestContext.none,
  ) {}

  onModuleInit(): void {
    const adapter = this.host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    const { access, operations } = this.config;
    if (adapter && access.enabled)
      mountAccessLog(
        adapter,
        new AccessLog(this.root.named('access'), access, this.context, this.root.serving, this.root.encoder),
      );
    if (Object.keys(operations).length > 0)
      this.operations = new OperationLog(this.root.named('operations'), this.config);
  }

  async onApplicationShutdown(): Promise<void> {
    this.operations?.stop();
    await this.root.close();
  }
}

const logger = defineBehaviour({
  name: 'logger',
  config: LoggingConfig,
  providers: [
    {
      provide: LogRoot,
      inject: [LoggingConfig, optional(AppInfo), optional(RequestContext), optional(ConfigSource), optional(Clock)],
      useFactory: (
        config: LoggingConfig,
        app?: AppInfo,
        context?: RequestContext,
        source?: ConfigSource,
        clock?: Clock,
      ) => new LogRoot({ config, app, context, source, clock }),
    },
    {
      provide: AppLogger,
      scope: Scope.TRANSIENT,
      inject: [{ token: INQUIRER, optional: true }, LogRoot],
      useFactory: (inquirer: unknown, root: LogRoot) => root.named(loggerNameOf(inquirer)),
    },
    NestLogger,
    LoggerLifecycle,
    ...pinoLoggerProviders,
  ],
  exports: [AppLogger, NestLogger, LogRoot, ...pinoLoggerTokens],
});

/**
 * Structured logging on pino: {@link AppLogger} for services, {@link NestLogger} for Nest's own lines, an access log, and nestjs-pino's
 * `PinoLogger` and `@InjectPinoLogger()` for those who have them. `LoggerModule.forRoot()` reads section `logging` of the configuration.
 */
@Module({})
export class LoggerModule extends logger {
  static override forRoot(...options: Parameters<typeof logger.forRoot>): DynamicModule {
    return withDecoratedLoggers(super.forRoot(...options));
  }

  static override forRootAsync(...options: Parameters<typeof logger.forRootAsync>): DynamicModule {
    return withDecoratedLoggers(super.forRootAsync(...options));
  }
}
