import { bootHttp, type HttpApp, type Importable } from '@core-infra/testing';
import type { Type } from '@nestjs/common';
import { connectHandlers, MessagingModule, type MessagingOptions } from '../../src/index.js';

export interface BootMessaging {
  readonly controllers?: readonly Type[];
  readonly imports?: readonly Importable[];
  readonly options?: MessagingOptions;
  /** @default MessagingModule */
  readonly module?: Pick<typeof MessagingModule, 'forRoot'>;
}

/** An app with these handlers, as `bootstrap` would set it up. */
export async function bootMessaging({
  controllers = [],
  imports = [],
  options = {},
  module = MessagingModule,
}: BootMessaging): Promise<HttpApp> {
  class HandlersModule {}
  const app = await bootHttp(
    'fastify',
    [...imports, module.forRoot(options), { module: HandlersModule, controllers: [...controllers] }],
    { setUp: created => connectHandlers(created) },
  );
  await app.startAllMicroservices();
  return app;
}
