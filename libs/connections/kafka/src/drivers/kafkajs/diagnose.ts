import { InfraError } from '@core-infra/kernel';
import type { KafkaConfig } from '../../config/kafka.config.js';
import { usesTls } from '../../config/security.js';
import {
  KafkaAuthenticationError,
  KafkaCompressionError,
  KafkaInvalidTopicError,
  KafkaOversizeError,
  KafkaRefusedError,
  KafkaTlsError,
  KafkaUnauthorizedError,
  KafkaUnknownTopicError,
  KafkaUnreachableError,
} from '../../errors.js';
import { type KafkajsError, rootOf } from './internals.js';
import { tokenFailure } from './token.js';

/** What was done when it failed. */
export interface Attempt {
  readonly config: KafkaConfig;
  /** For a sentence: `Kafka refuses to …`. */
  readonly action: string;
  readonly topic?: string;
  readonly group?: string;
  /** Rights to the topic that it takes. */
  readonly needed?: string;
}

const unverified =
  /SELF_SIGNED_CERT|DEPTH_ZERO|UNABLE_TO_\w+|CERT_\w+|ERR_TLS_CERT_ALTNAME_INVALID|self[- ]signed certificate|unable to (verify|get)|certificate has expired|altnames/i;
const handshake = /EPROTO|ERR_SSL|wrong version number|packet length too long|SSL routines|tls/i;

/** Says what is wrong and what mends it. */
export function diagnose(error: unknown, attempt: Attempt): Error {
  if (error instanceof InfraError) return error;
  const root = rootOf(error);
  if (root instanceof InfraError) return root; // of ours, from inside of kafkajs: no token
  const { config, action, topic = root.topic ?? '', group, needed } = attempt;
  const cause = { cause: root };
  switch (root.type ?? '') {
    case 'UNKNOWN_TOPIC_OR_PARTITION':
      return new KafkaUnknownTopicError(topic, cause);
    case 'INVALID_TOPIC_EXCEPTION':
      return new KafkaInvalidTopicError(topic, cause);
    case 'TOPIC_AUTHORIZATION_FAILED':
      return new KafkaUnauthorizedError('topic', topic, userOf(config), { ...cause, ...(needed && { needed }) });
    case 'GROUP_AUTHORIZATION_FAILED':
      return new KafkaUnauthorizedError('group', group ?? '', userOf(config), cause);
    case 'CLUSTER_AUTHORIZATION_FAILED':
      return new KafkaUnauthorizedError('cluster', '', userOf(config), cause);
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
      return new KafkaOversizeError(topic, 0, undefined, cause);
    case 'ILLEGAL_SASL_STATE':
      return noToken(config) ?? refusedLogin(root, config);
    case 'SASL_AUTHENTICATION_FAILED':
    case 'UNSUPPORTED_SASL_MECHANISM':
      return refusedLogin(root, config);
    case 'GROUP_LOAD_IN_PROGRESS':
    case 'GROUP_COORDINATOR_NOT_AVAILABLE':
    case 'NOT_COORDINATOR_FOR_GROUP':
      return new KafkaUnreachableError(config.brokers.join(','), 'the coordinator of the group is not ready', cause);
    default:
  }
  if (root.name === 'KafkaJSSASLAuthenticationError') return refusedLogin(root, config);
  if (root.name === 'KafkaJSGroupCoordinatorNotFound')
    return new KafkaUnreachableError(
      config.brokers.join(','),
      `no broker says who coordinates the group "${group ?? ''}", or the account lacks READ on it`,
      cause,
    );
  if (root.name === 'KafkaJSNotImplemented' && /compression/i.test(root.message))
    return new KafkaCompressionError(
      root.message.split(' ')[0] ?? '',
      'Install kafkajs-snappy or kafkajs-lz4 and name it in kafka.compression.',
    );
  return connectionTrouble(root, config) ?? new KafkaRefusedError(action, root.message, cause);
}

function connectionTrouble(root: KafkajsError, config: KafkaConfig): Error | undefined {
  const { message } = root;
  const address = config.brokers.join(',');
  const text = `${String(root.code)} ${message}`;
  const cause = { cause: root };
  const isConnection =
    /^KafkaJS(Connection|RequestTimeout|BrokerNotFound|NoBrokerAvailable|Lock|MetadataNotLoaded)/.test(root.name);
  if (!isConnection && typeof root.code !== 'string') return undefined;
  if (usesTls(config) && unverified.test(text))
    return new KafkaTlsError(
      `The certificate of Kafka at ${address} cannot be verified: ${reason(message)}.`,
      'Name the authority that signed it in kafka.tls.ca (KAFKA_TLS_CA), and in kafka.tls.servername what it was issued to.',
      cause,
    );
  if (usesTls(config) && handshake.test(text))
    return new KafkaTlsError(
      `The TLS handshake with Kafka at ${address} failed: ${reason(message)}.`,
      config.tls.cert
        ? 'If the listener speaks no TLS, leave SSL out of kafka.securityProtocol; else correct kafka.tls.cert and kafka.tls.key.'
        : 'If the listener wants a certificate of this client, name one in kafka.tls.cert and kafka.tls.key; if it speaks no TLS, leave SSL out of kafka.securityProtocol.',
      cause,
    );
  if (root.name === 'KafkaJSConnectionClosedError')
    return new KafkaUnreachableError(address, `it closed the connection${hint(config)}`, cause);
  return new KafkaUnreachableError(address, reason(message), cause);
}

/** What a listener that hangs up without a word may have wanted. */
function hint(config: KafkaConfig): string {
  const wants = [!usesTls(config) && 'TLS', !config.sasl.mechanism && 'a login (SASL)'].filter(Boolean).join(' or ');
  return wants ? `, as a listener does that wants ${wants}; see kafka.securityProtocol` : '';
}

/** Without one kafkajs stops in the middle of a login, and begins another over the same connection. */
function noToken({ brokers, sasl }: KafkaConfig): Error | undefined {
  const failure = tokenFailure(sasl);
  if (!failure || failure instanceof InfraError) return failure;
  return new KafkaAuthenticationError(brokers.join(','), 'OAUTHBEARER', `there is no token (${failure.message})`, {
    cause: failure,
  });
}

function refusedLogin(root: KafkajsError, config: KafkaConfig): Error {
  const mechanism = config.sasl.mechanism ?? 'none';
  const why =
    root.type === 'UNSUPPORTED_SASL_MECHANISM' || /mechanism is not supported/i.test(root.message)
      ? 'it does not offer that mechanism'
      : 'the user or the password is wrong';
  return new KafkaAuthenticationError(config.brokers.join(','), mechanism, why, { cause: root });
}

function reason(message: string): string {
  return message
    .replace(/^(Connection error|Failed to connect): /, '')
    .replace(/^[\dA-F]+:error:/, '')
    .trim();
}

/** Whom the brokers know this app as. */
function userOf({ sasl, tls }: KafkaConfig): string {
  if (sasl.username) return `The user "${sasl.username}"`;
  return tls.cert ? 'The owner of kafka.tls.cert' : 'Whoever does not log in';
}
