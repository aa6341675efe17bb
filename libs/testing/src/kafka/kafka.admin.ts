import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import { ServiceStateError } from '../errors.js';
import type { KafkaUser } from './kafka.settings.js';

/** How long a broker may take to answer, in milliseconds. */
const ANSWERS_WITHIN_MS = 5_000;
/** ApiVersions, version 0, without a client's name: what every broker answers to whom it does not know yet. */
const API_VERSIONS = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);

/** Rejects for as long as the broker does not answer; by its plain listener, without a client library. */
export async function pingKafka(port: number): Promise<void> {
  const socket = createConnection(port, '127.0.0.1');
  const late = new AbortController();
  try {
    await once(socket, 'connect');
    socket.write(API_VERSIONS);
    await Promise.race([
      once(socket, 'data', { signal: late.signal }),
      once(socket, 'close', { signal: late.signal }).then(() => {
        throw new ServiceStateError('The broker hung up.', 'Look at its log.');
      }),
      sleep(ANSWERS_WITHIN_MS, undefined, { signal: late.signal, ref: false }).then(() => {
        throw new ServiceStateError(`The broker does not answer within ${ANSWERS_WITHIN_MS} ms.`, 'Look at its log.');
      }),
    ]);
  } finally {
    late.abort();
    socket.destroy();
  }
}

/** Runs `use` with an administrator's connection of its own, closed afterwards. */
export async function withKafkaAdmin<Result>(port: number, use: (admin: Admin) => Promise<Result>): Promise<Result> {
  const { Kafka, logLevel } = await import('kafkajs');
  const kafka = new Kafka({
    brokers: [`127.0.0.1:${port}`],
    clientId: 'core-infra-testing',
    logLevel: logLevel.NOTHING,
    retry: { retries: 10, initialRetryTime: 50, maxRetryTime: 500 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Gives the accounts what they may do. */
export async function grant(port: number, users: readonly KafkaUser[]): Promise<void> {
  const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = await import('kafkajs');
  const operationOf = (name: string) => AclOperationTypes[name as keyof typeof AclOperationTypes];
  const acl = users.flatMap(({ name, allow = [] }) =>
    allow.flatMap(({ topic, group, operations = ['ALL'] }) =>
      (
        [
          [AclResourceTypes.TOPIC, topic],
          [AclResourceTypes.GROUP, group],
        ] as const
      ).flatMap(([resourceType, pattern]) =>
        pattern === undefined
          ? []
          : operations.map(operation => ({
              resourceType,
              resourceName: pattern === '*' ? '*' : pattern.replace(/\*$/, ''),
              resourcePatternType:
                pattern !== '*' && pattern.endsWith('*') ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
              principal: `User:${name}`,
              host: '*',
              operation: operationOf(operation),
              permissionType: AclPermissionTypes.ALLOW,
            })),
      ),
    ),
  );
  if (acl.length > 0) await withKafkaAdmin(port, admin => admin.createAcls({ acl }));
}
