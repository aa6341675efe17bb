import { type DynamicModule, Inject, Injectable, type InjectionToken, type Provider, Scope } from '@nestjs/common';
import { LoggerModule as NestjsPinoModule, PARAMS_PROVIDER_TOKEN, PinoLogger } from 'nestjs-pino';
import { LogRoot } from './log.root.js';

/**
 * nestjs-pino's logger on the pino of this app: what it writes goes to our destinations, redacted, with the ids of the request.
 * nestjs-pino itself keeps one root logger per process; with two apps in it, the second would write to the first one's files.
 */
@Injectable({ scope: Scope.TRANSIENT })
export class AppPinoLogger extends PinoLogger {
  // Named, because the parameter's own decorator is inherited from the base class.
  constructor(@Inject(LogRoot) private readonly root: LogRoot) {
    super({ pinoHttp: { logger: root.pino }, useExisting: true });
  }

  override get logger(): LogRoot['pino'] {
    return this.root.pino;
  }
}

/** `PinoLogger` by its class, and what nestjs-pino's own `Logger` and interceptor ask for. */
export const pinoLoggerProviders: Provider[] = [
  { provide: PinoLogger, useClass: AppPinoLogger, scope: Scope.TRANSIENT },
  {
    provide: PARAMS_PROVIDER_TOKEN,
    inject: [LogRoot],
    useFactory: (root: LogRoot) => ({ pinoHttp: { logger: root.pino }, useExisting: true }),
  },
];

export const pinoLoggerTokens: InjectionToken[] = [PinoLogger, PARAMS_PROVIDER_TOKEN];

/**
 * Adds what `@InjectPinoLogger('Name')` injects. nestjs-pino learns of these names as classes are decorated, so they are known
 * when the app's modules are put together and not before.
 */
export function withDecoratedLoggers(module: DynamicModule): DynamicModule {
  const decorated = (NestjsPinoModule.forRoot({}).providers ?? []).filter(
    (provider): provider is Provider & { provide: string } =>
      'provide' in provider && typeof provider.provide === 'string' && provider.provide.startsWith('PinoLogger:'),
  );
  return {
    ...module,
    providers: [...(module.providers ?? []), ...decorated],
    exports: [...(module.exports ?? []), ...decorated.map(({ provide }) => provide)],
  };
}
