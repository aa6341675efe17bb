import type { ServiceDefinition } from '../service.definition.js';
import { kafka } from './kafka.service.js';
import { nats } from './nats.service.js';
import { postgres } from './postgres.service.js';
import { rabbitmq } from './rabbitmq.service.js';
import { redis } from './redis.service.js';

/** Every server that can be had here; a new one is a file beside this one and a line here. */
export const knownServices: readonly ServiceDefinition[] = [postgres, redis, kafka, rabbitmq, nats];
