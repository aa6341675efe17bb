import { Inject, Injectable, Module, type OnModuleInit, Optional } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Clock, defineBehaviour, RequestContext } from '@core-infra/kernel';
import { ClsModule, ClsService } from 'nestjs-cls';
import { ClsRequestContext } from './cls-request-context.js';
import { ContextConfig } from './context.config.js';
import { HttpContext } from './http.context.js';
import { mountContext } from './mount.js';

@Injectable()
class ContextMount implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly cls: ClsService,
    private readonly context: ClsRequestContext,
    private readonly config: ContextConfig,
    @Optional() @Inject(Clock) private readonly clock?: Clock,
  ) {}

  onModuleInit(): void {
    const adapter = this.host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    if (adapter) mountContext(adapter, new HttpContext(this.cls, this.context, this.config, this.clock));
  }
}

const context = defineBehaviour({
  name: 'context',
  config: ContextConfig,
  /** The bare class: `ClsModule.forRoot` would add a guard and an interceptor to every request, which do nothing here. */
  imports: [ClsModule],
  providers: [
    {
      provide: ClsRequestContext,
      inject: [ClsService, { token: Clock, optional: true }],
      useFactory: (cls: ClsService, clock?: Clock) => new ClsRequestContext(cls, clock),
    },
    { provide: RequestContext, useExisting: ClsRequestContext },
    ContextMount,
  ],
  exports: [RequestContext, ClsModule],
});

/**
 * Gives every HTTP request a context, on Express and Fastify, and provides {@link RequestContext} to the whole app.
 * `ContextModule.forRoot()` reads section `context` of the configuration.
 */
@Module({})
export class ContextModule extends context {}
