import { uniqueName, useRedis } from '@core-infra/testing';
import { openStore } from '../../support/redis-store.js';
import { flagStoreContract } from '../../support/store.contract.js';

const redis = useRedis();

flagStoreContract(
  'Redis',
  async () => {
    const key = uniqueName('flags');
    return () => openStore({ url: redis.url }, { key });
  },
  { shared: true },
);
