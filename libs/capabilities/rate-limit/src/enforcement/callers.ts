import type { ExecutionContext } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { RequestContext } from '@core-infra/kernel';
import type { ClientAddresses } from '../client/client-address.js';
import type { Address } from '../client/networks.js';
import type { LimitedCall, LimitedRequest } from '../decorators/limit.options.js';

/** An HTTP request; who sent it is found out when somebody asks. */
export class HttpCall implements LimitedCall {
  readonly kind = 'http';
  private found?: { readonly client: Address | undefined };

  constructor(
    readonly execution: ExecutionContext,
    private readonly context: RequestContext,
    private readonly addresses: ClientAddresses,
  ) {}

  get args(): readonly unknown[] {
    return this.execution.getArgs();
  }

  get request(): LimitedRequest {
    return this.execution.switchToHttp().getRequest<LimitedRequest>();
  }

  get client(): Address | undefined {
    const { request } = this;
    this.found ??= {
      client: this.addresses.of((request as { raw?: IncomingMessage }).raw ?? (request as IncomingMessage)),
    };
    return this.found.client;
  }

  get address(): string | undefined {
    return this.client?.toString();
  }

  get userId(): string | undefined {
    return this.context.current?.userId ?? idOf(this.request.user);
  }
}

/** A message that a transport of Nest's brought. */
export class MessageCall implements LimitedCall {
  readonly kind = 'message';
  readonly address = undefined;
  readonly request = undefined;

  constructor(
    readonly execution: ExecutionContext,
    private readonly context: RequestContext,
  ) {}

  get args(): readonly unknown[] {
    return this.execution.getArgs();
  }

  get userId(): string | undefined {
    return this.context.current?.userId;
  }
}

/** A call of a service's method. */
export class MethodCall implements LimitedCall {
  readonly kind = 'method';
  readonly address = undefined;
  readonly request = undefined;
  readonly execution = undefined;

  constructor(
    readonly args: readonly unknown[],
    private readonly context: RequestContext,
  ) {}

  get userId(): string | undefined {
    return this.context.current?.userId;
  }
}

/** Whatever is limited. */
export type AnyCall = HttpCall | MessageCall | MethodCall;

function idOf(user: unknown): string | undefined {
  if (typeof user !== 'object' || user === null) return undefined;
  const { id, sub, userId } = user as Record<string, unknown>;
  const found = [id, sub, userId].find(value => ['string', 'number', 'bigint'].includes(typeof value) && value !== '');
  return found === undefined ? undefined : String(found);
}
