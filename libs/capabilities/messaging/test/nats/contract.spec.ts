import { NatsModule } from '@core-infra/nats';
import { uniqueName, useNats } from '@core-infra/testing';
import { messagingContract } from '../../src/testing/index.js';
import { bootMessaging } from '../support/boot-messaging.js';

jest.setTimeout(90_000);

describe('nats', () => {
  const server = useNats();
  const prefix = uniqueName('events').toLowerCase();

  messagingContract({
    features: { ordered: true, schedule: false, reach: 'network', durable: true, retention: 'log' },
    boot: (options, controllers) =>
      bootMessaging({
        imports: [NatsModule.forRoot({ url: server.url, startup: 'require' })],
        options: { driver: 'nats', startup: 'require', nats: { prefix }, ...options },
        controllers,
      }),
  });
});
