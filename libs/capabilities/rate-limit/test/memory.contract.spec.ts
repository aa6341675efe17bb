import { bootInfra } from '@core-infra/testing';
import { RateLimitModule } from '@core-infra/rate-limit';
import { limiterContract } from './support/limiter.contract.js';

limiterContract('memory', 'memory', () => bootInfra(RateLimitModule.forRoot()));
