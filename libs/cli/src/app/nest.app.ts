import { createRequire } from 'node:module';
import type * as Common from '@nestjs/common';
import type * as Core from '@nestjs/core';
import type { CliApp } from '@core-infra/kernel';
import { NoAppError } from '../errors.js';
import { type AppModule, loadAppModule } from './app.file.js';

/** The app of one command: loaded when it is first asked for, closed afterwards. */
export class NestApp implements CliApp {
  private module?: Promise<AppModule>;
  private graph?: Promise<Core.ModulesContainer>;
  private context?: Promise<Common.INestApplicationContext>;

  constructor(
    private readonly file: string | undefined,
    /** What the app itself has to say goes here, and never to stdout, which carries the result. */
    private readonly log: (line: string) => void,
  ) {}

  async inspect(): Promise<Core.ModulesContainer> {
    return (this.graph ??= this.preview());
  }

  async boot(): Promise<Common.INestApplicationContext> {
    return (this.context ??= this.start());
  }

  /** Closes what was booted; a boot that failed has closed what it had opened. */
  async close(): Promise<void> {
    const context = await this.context?.catch(() => undefined);
    await context?.close();
  }

  private async preview(): Promise<Core.ModulesContainer> {
    const { NestFactory, ModulesContainer } = this.nest('@nestjs/core') as typeof Core;
    const context = await NestFactory.createApplicationContext((await this.loaded()) as Common.Type, {
      preview: true,
      abortOnError: false,
      logger: false,
    });
    return context.get(ModulesContainer);
  }

  private async start(): Promise<Common.INestApplicationContext> {
    const { NestFactory } = this.nest('@nestjs/core') as typeof Core;
    return NestFactory.createApplicationContext((await this.loaded()) as Common.Type, {
      abortOnError: false,
      logger: this.stderrLogger(),
    });
  }

  private loaded(): Promise<AppModule> {
    return (this.module ??= loadAppModule(this.appFile()));
  }

  private appFile(): string {
    if (this.file === undefined) throw new NoAppError();
    return this.file;
  }

  /** The app's own Nest: another copy would not know the metadata of its classes. */
  private nest(name: string): unknown {
    return createRequire(this.appFile())(name);
  }

  private stderrLogger(): Common.LoggerService {
    const { ConsoleLogger } = this.nest('@nestjs/common') as typeof Common;
    const { log } = this;
    class StderrLogger extends ConsoleLogger {
      protected override printMessages(
        messages: unknown[],
        context?: string,
        level?: Common.LogLevel,
        _stream?: 'stdout' | 'stderr',
      ): void {
        if (context === 'ExceptionHandler') return; // the failure of the boot reaches whoever asked for the app
        for (const message of messages)
          log(
            `${(level ?? 'log').toUpperCase()} ${context ? `[${context}] ` : ''}${this.stringifyMessage(message, level ?? 'log')}`,
          );
      }
    }
    return new StderrLogger({ logLevels: ['warn', 'error', 'fatal'], colors: false });
  }
}
