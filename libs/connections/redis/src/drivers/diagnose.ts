import { isNativeError } from 'node:util/types';
import type { RedisConfig } from '../config/redis.config.js';
import { RedisDatabaseError, RedisLoginError, RedisTlsError, RedisTopologyError } from '../errors.js';
import { addressOf } from './ioredis-options.js';

const unverified =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_\w+|CERT_\w+|ERR_TLS_CERT_ALTNAME_INVALID)$/;
const tlsFailed = /^(EPROTO|ERR_SSL_\w+)$/;

/** What ioredis says when replies still come after it has given a handshake up: it follows from what was told before, and explains nothing. */
export function isAftermath(error: Error): boolean {
  return error.message.startsWith('Command queue state error.');
}

/** Says what is wrong and what mends it, where an error of connecting shows that; else the error as it is. */
export function diagnose(error: unknown, config: RedisConfig): unknown {
  if (!isNativeError(error)) return error;
  const { lastNodeError } = error as { lastNodeError?: unknown };
  if (lastNodeError) return diagnose(lastNodeError, config);
  const address = addressOf(config);
  const { message } = error;
  const code = String((error as { code?: unknown }).code);
  const cause = { cause: error };
  if (message.startsWith('All sentinels are unreachable')) return noSentinel(error, config);
  if (/WRONGPASS|NOAUTH|invalid password|AUTH.*called without any password/i.test(message))
    return new RedisLoginError(
      address,
      /NOAUTH/.test(message) && !config.password ? 'it wants a password' : 'the user or the password is wrong',
      cause,
    );
  if (/DB index is out of range|invalid DB index/i.test(message))
    return new RedisDatabaseError(address, config.db, cause);
  if (/SELECT is not allowed in cluster mode/i.test(message)) return notStandalone(config, cause);
  if (/cluster support disabled/i.test(message))
    return new RedisTopologyError(address, 'no node of a cluster', config.driver, 'standalone', cause);
  if (/unknown command .?SENTINEL/i.test(message))
    return new RedisTopologyError(address, 'no sentinel', config.driver, 'standalone', cause);
  return tlsTrouble(error, code, config);
}

/** A server that hung up, without a word, on a client that had begun to talk. */
export function hungUp(config: RedisConfig): Error {
  return config.tls.enabled
    ? new RedisTlsError(
        `Redis at ${addressOf(config)} closed the connection during the TLS handshake.`,
        config.tls.cert
          ? 'If it speaks no TLS, use redis:// and leave redis.tls.enabled out.'
          : 'If it wants a certificate of this client, name one in redis.tls.cert and redis.tls.key; if it speaks no TLS, use redis://.',
      )
    : new RedisTlsError(
        `Redis at ${addressOf(config)} closed the connection before it answered.`,
        'If it wants TLS, use rediss:// or set redis.tls.enabled; else look at the server’s log, and at what listens on that address.',
      );
}

/** A server, or the network, that accepted the connection and said nothing. */
export function noAnswer(limitMs: number, config: RedisConfig): Error {
  const address = addressOf(config);
  return config.tls.enabled
    ? new RedisTlsError(
        `Redis at ${address} did not complete the TLS handshake within ${limitMs} ms.`,
        'If it speaks no TLS, use redis:// and leave redis.tls.enabled out; else look at the server and the network.',
      )
    : new Error(`Redis at ${address} did not answer within ${limitMs} ms`);
}

/** A node of a cluster, or a sentinel, in the place of a plain server: it would serve some keys, until one belongs to another node. */
export function wrongMode(info: string, config: RedisConfig): RedisTopologyError | undefined {
  const mode = /redis_mode:(\w+)/.exec(info)?.[1];
  if (config.driver === 'cluster') return undefined;
  if (mode === 'cluster') return notStandalone(config, {});
  if (mode === 'sentinel') return new RedisTopologyError(addressOf(config), 'a sentinel', config.driver, 'sentinel');
  return undefined;
}

function noSentinel(error: Error, config: RedisConfig): Error {
  const cause = { cause: error };
  const nodes = config.sentinel.nodes.join(', ');
  const last = /Last error: (.*)$/s.exec(error.message)?.[1];
  if (last === undefined || last.includes('No such master'))
    return new Error(
      `no sentinel at ${nodes} knows a master "${config.sentinel.masterName}": correct redis.sentinel.masterName`,
      cause,
    );
  if (/WRONGPASS|NOAUTH/.test(last))
    return new RedisLoginError(nodes, 'redis.sentinel.password is wrong, or missing', cause);
  if (/unknown command/i.test(last))
    return new RedisTopologyError(nodes, 'no sentinel', config.driver, 'standalone', cause);
  return new Error(`no sentinel answers at ${nodes}: ${last}`, cause);
}

function notStandalone(config: RedisConfig, cause: { cause?: unknown }): RedisTopologyError {
  return new RedisTopologyError(addressOf(config), 'a node of a cluster', config.driver, 'cluster', cause);
}

function tlsTrouble(error: Error, code: string, config: RedisConfig): Error {
  const address = addressOf(config);
  const cause = { cause: error };
  if (unverified.test(code))
    return new RedisTlsError(
      `The certificate of Redis at ${address} cannot be verified: ${error.message}.`,
      'Name the authority that signed it in redis.tls.ca, or the name that it was issued to in redis.tls.servername.',
      cause,
    );
  if (/certificate required|handshake failure/i.test(error.message) && config.tls.enabled)
    return new RedisTlsError(
      `Redis at ${address} wants a certificate of this client.`,
      'Name one that it trusts, and its key, in redis.tls.cert and redis.tls.key.',
      cause,
    );
  if (tlsFailed.test(code))
    return new RedisTlsError(
      `There is no TLS with Redis at ${address}: ${error.message}.`,
      'If it speaks no TLS, use redis:// and leave redis.tls.enabled out.',
      cause,
    );
  return error;
}
