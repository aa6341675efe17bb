import { Module, type DynamicModule, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

/** What an app may import. */
export type Importable = Type<unknown> | DynamicModule | Promise<DynamicModule>;

/** A booted application context that closes itself at the end of its block: `await using app = await bootInfra(...)`. */
export type InfraApp = INestApplicationContext & AsyncDisposable;

/**
 * Boots a Nest application context from modules, as an app that imports them would, without its log lines. Rejects with the
 * error of the boot itself.
 */
export async function bootInfra(...modules: Importable[]): Promise<InfraApp> {
  const app = await NestFactory.createApplicationContext(rootModule(modules), { logger: false, abortOnError: false });
  return disposable(app);
}

/** @internal */
export function rootModule(imports: Importable[]): DynamicModule {
  @Module({})
  class SpecRootModule {}
  return { module: SpecRootModule, imports };
}

/** Adds `[Symbol.asyncDispose]`, which closes the app unless that was done already. @internal */
export function disposable<App extends INestApplicationContext>(app: App): App & AsyncDisposable {
  let closed: Promise<void> | undefined;
  const once = (): Promise<void> => (closed ??= app.close());
  return extend(app, { close: once, [Symbol.asyncDispose]: once });
}

/**
 * The app with further members. Not assigned to it: Nest's own proxy takes no assignments, and looks a method up on the app
 * again when it is called. @internal
 */
export function extend<App extends object, Members extends object>(app: App, members: Members): App & Members {
  return new Proxy(app, {
    get: (target, name) => Reflect.get(Object.hasOwn(members, name) ? members : target, name),
  }) as App & Members;
}
