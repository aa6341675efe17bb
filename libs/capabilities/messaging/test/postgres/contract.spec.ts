import { DatabaseModule } from '@core-infra/database';
import { uniqueName, usePostgres } from '@core-infra/testing';
import { messagingContract } from '../../src/testing/index.js';
import { bootMessaging } from '../support/boot-messaging.js';

const database = usePostgres();
const schema = uniqueName('boss').toLowerCase().replaceAll('-', '_').slice(0, 50);

describe('postgres', () => {
  messagingContract({
    features: { ordered: true, schedule: true, reach: 'network', durable: true, retention: 'subscribers' },
    boot: (options, controllers) =>
      bootMessaging({
        controllers,
        imports: [DatabaseModule.forRoot({ dsn: database.url })],
        options: { driver: 'postgres', startup: 'require', ...options, postgres: { schema } },
      }),
  });
});
