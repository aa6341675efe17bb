import { bootHttp, type HttpApp, type Importable } from '@core-infra/testing';
import type { Type } from '@nestjs/common';
import { type AppContributing } from '@core-infra/kernel';
import { MessagingModule, type MessagingOptions } from '../../src/index.js';
import { ConsumersContributor } from '../../src/handlers/consumers.contributor.js';

export interface BootMessaging {
  readonly controllers?: readonly Type[];
  readonly imports?: readonly Importable[];
  readonly options?: MessagingOptions;
}

/** An app with these handlers, as `bootstrap` would set it up. */
export async function bootMessaging({ controllers = [], imports = [], options = {} }: BootMessaging): Promise<HttpApp> {
  class HandlersModule {}
  const app = await bootHttp(
    'fastify',
    [...imports, MessagingModule.forRoot(options), { module: HandlersModule, controllers: [...controllers] }],
    {
      setUp: async created => {
        const contributor: AppContributing = created.get(ConsumersContributor, { strict: false });
        await contributor.contribute(created);
      },
    },
  );
  await app.startAllMicroservices();
  return app;
}
