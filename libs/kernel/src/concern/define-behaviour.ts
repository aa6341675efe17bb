import {
  ConfigurableModuleBuilder,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  type ModuleMetadata,
} from '@nestjs/common';
import type { ConfigClass } from '../config/field-decorators.js';
import type { ConfigInput } from '../config/resolve-config.js';
import { provideConfig } from '../config/section-declaration.js';
import { KernelModule } from '../kernel.module.js';
import { staticOptions } from './static-options.js';

/** Known before DI runs. */
export interface BehaviourPlacement {
  /** Whether every module sees what it exports without importing it. @default true */
  isGlobal: boolean;
}

/** `{ imports, inject, useFactory }`, `{ useClass }`, `{ useExisting }` or nothing. */
export type BehaviourAsyncOptions<Input> = Partial<ConfigurableModuleAsyncOptions<Input, 'create'>> &
  Partial<BehaviourPlacement>;

/** The statics that a behaviour's module inherits. */
export interface BehaviourModuleClass<Input> {
  new (): object;
  /** Values given in code, on top of the module's section of the configuration. */
  forRoot(options?: Input & Partial<BehaviourPlacement>): DynamicModule;
  /** The same with values from a factory or a class; with nothing, from the section alone. */
  forRootAsync(options?: BehaviourAsyncOptions<Input>): DynamicModule;
}

/** A concern that opens no connection: a configuration class, and what the module is made of. */
export interface Behaviour<Config extends object> extends ModuleMetadata {
  readonly name: string;
  /** Decorated `@ConfigSection('<section>')`. It is provided and exported. */
  readonly config: ConfigClass<Config>;
}

/** Makes a Nest module of something that opens no connection: registration and configuration come with it, on Nest's own builder. */
export function defineBehaviour<Config extends object>(
  behaviour: Behaviour<Config>,
): BehaviourModuleClass<ConfigInput<Config>> {
  type Input = ConfigInput<Config>;
  const optionsToken = Symbol(`${behaviour.name} options`);
  const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<Input>({ optionsInjectionToken: optionsToken })
    .setClassMethodName('forRoot')
    .setExtras<BehaviourPlacement>({ isGlobal: true }, (definition, { isGlobal }) => ({
      ...definition,
      global: isGlobal,
      imports: [...(behaviour.imports ?? []), ...(definition.imports ?? []), KernelModule],
      controllers: [...(behaviour.controllers ?? [])],
      providers: [
        ...(definition.providers ?? []),
        ...provideConfig(behaviour.config, { optionsToken, given: staticOptions(definition.providers, optionsToken) }),
        ...(behaviour.providers ?? []),
      ],
      exports: [behaviour.config, ...(behaviour.exports ?? [])],
    }))
    .build();

  class BehaviourModule extends ConfigurableModuleClass {
    static override forRoot(options: Input & Partial<BehaviourPlacement> = {} as Input): DynamicModule {
      return super.forRoot(options as Parameters<typeof ConfigurableModuleClass.forRoot>[0]);
    }

    static override forRootAsync(options: BehaviourAsyncOptions<Input> = {}): DynamicModule {
      const from = options.useFactory ?? options.useClass ?? options.useExisting;
      if (from) return super.forRootAsync(options as Parameters<typeof ConfigurableModuleClass.forRootAsync>[0]);
      const registered = this.forRoot({ isGlobal: options.isGlobal ?? true } as Input & Partial<BehaviourPlacement>);
      return { ...registered, imports: [...(options.imports ?? []), ...(registered.imports ?? [])] };
    }
  }
  return BehaviourModule as unknown as BehaviourModuleClass<Input>;
}
