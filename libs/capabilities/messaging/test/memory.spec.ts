import { messagingContract } from '../src/testing/index.js';
import { bootMessaging } from './support/boot-messaging.js';

describe('memory', () => {
  messagingContract({
    features: { ordered: true, schedule: true, reach: 'process', durable: false, retention: 'subscribers' },
    boot: (options, controllers) => bootMessaging({ options, controllers }),
  });
});
