import type { DriverSite, Opened } from '@core-infra/kernel';
import type { NatsConfig } from '../config/nats.config.js';
import { checkNats } from '../health/check.js';
import { addressOf } from '../link/diagnose.js';
import { Link } from '../link/link.js';
import type { NatsClient } from '../nats.client.js';
import { NatsIoClient } from './nats-io.client.js';

/** A server, or a cluster. */
export function natsIo(config: NatsConfig, at: DriverSite): Opened<NatsClient> {
  const link = new Link(config, at);
  const client = new NatsIoClient(link);
  return {
    client,
    address: addressOf(config),
    connect: () => link.open(),
    check: () => checkNats(link, client),
    drain: signal => client.drain(signal),
    close: signal => link.close(signal),
  };
}
