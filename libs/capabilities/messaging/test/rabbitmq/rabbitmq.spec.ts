import { RabbitmqModule } from '@core-infra/rabbitmq';
import { useRabbitmq } from '@core-infra/testing';
import { messagingContract } from '../../src/testing/index.js';
import { bootMessaging } from '../support/boot-messaging.js';

jest.setTimeout(90_000);

describe('rabbitmq', () => {
  const server = useRabbitmq();

  messagingContract({
    features: { ordered: true, schedule: false, reach: 'network', durable: true, retention: 'subscribers' },
    boot: (options, controllers) =>
      bootMessaging({
        imports: [RabbitmqModule.forRoot({ url: server.url, startup: 'require' })],
        options: { driver: 'rabbitmq', startup: 'require', ...options },
        controllers,
      }),
  });
});
