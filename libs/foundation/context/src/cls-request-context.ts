import { Injectable } from '@nestjs/common';
import { Clock, type ContextFields, type ContextInput, RequestContext } from '@core-infra/kernel';
import { CLS_ID, ClsService } from 'nestjs-cls';
import { contextOf } from './carrier.js';
import { RunningContext } from './running.context.js';
import { UuidV7 } from './uuid-v7.js';

/** Where the context lives in nestjs-cls's store. A nested store (a transaction's) copies the reference, so both see one context. */
const CONTEXT: unique symbol = Symbol('core-infra:context');

/** What nestjs-cls keeps per request. */
export type ContextStore = Record<symbol, unknown>;

/** A class, as a literal with computed keys would be slower to make, once per request. */
class Store {
  declare [CONTEXT]: RunningContext;
  declare [CLS_ID]: string;

  constructor(context: RunningContext) {
    this[CONTEXT] = context;
    this[CLS_ID] = context.requestId;
  }
}

export function storeOf(context: RunningContext): ContextStore {
  return new Store(context) as unknown as ContextStore;
}

/** The context in nestjs-cls's running store, if there is one. */
export function contextIn(cls: ClsService): RunningContext | undefined {
  return (cls as ClsService<ContextStore>).get(CONTEXT) as RunningContext | undefined;
}

/** {@link RequestContext} on the AsyncLocalStorage of nestjs-cls, which its plugins (transactions) use as well. */
@Injectable()
export class ClsRequestContext extends RequestContext {
  private readonly ids: UuidV7;

  constructor(
    private readonly cls: ClsService,
    clock: Clock = Clock.system,
  ) {
    super();
    this.ids = new UuidV7(() => clock.now());
  }

  get current(): Readonly<ContextFields> | undefined {
    return contextIn(this.cls);
  }

  set(fields: ContextInput): void {
    contextIn(this.cls)?.assign(fields);
  }

  run<T>(fields: ContextInput, work: () => T): T {
    const outer = contextIn(this.cls);
    const context = outer ? outer.inherit(fields) : this.begin(fields);
    // What other users of nestjs-cls keep beside it, such as a running transaction, is inherited as well.
    const around = this.cls.isActive() ? ((this.cls as ClsService<ContextStore>).get() as ContextStore) : undefined;
    return this.cls.runWith({ ...around, ...storeOf(context) } as never, work);
  }

  override of(request: object): Readonly<ContextFields> | undefined {
    return contextOf(request);
  }

  newId(): string {
    return this.ids.next();
  }

  private begin(fields: ContextInput): RunningContext {
    const requestId = fields.requestId ?? this.newId();
    const context = new RunningContext(requestId, fields.correlationId ?? requestId);
    context.assign({ ...fields, requestId, correlationId: context.correlationId });
    return context;
  }
}
