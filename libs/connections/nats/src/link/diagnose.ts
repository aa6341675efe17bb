import { JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import { isNativeError } from 'node:util/types';
import type { NatsConfig } from '../config/nats.config.js';
import {
  NatsLoginError,
  NatsMissingError,
  NatsNoRespondersError,
  NatsNoStreamError,
  NatsPermissionError,
  NatsRefusedError,
  NatsTlsError,
} from '../errors.js';
import { loginWords } from './login.js';

const unverified =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_\w+|CERT_\w+|ERR_TLS_CERT_ALTNAME_INVALID)$/;
const tlsFailed = /^(EPROTO|ERR_SSL_\w+|ECONNRESET)$/;

export function addressOf({ servers }: NatsConfig): string {
  return servers.join(',');
}

/** The error and all that caused it. */
function* chain(error: unknown): Iterable<Error> {
  for (let at = error, depth = 0; isNativeError(at) && depth < 8; depth += 1) {
    yield at;
    at = at.cause;
  }
}

/** Says what is wrong and what mends it, where an error of connecting shows that; else the error as it is. */
export function diagnoseConnecting(error: unknown, config: NatsConfig): unknown {
  const address = addressOf(config);
  for (const each of chain(error)) {
    const cause = { cause: each };
    const code = String((each as { code?: unknown }).code);
    if (each instanceof errors.AuthorizationError || each instanceof errors.UserAuthenticationExpiredError)
      return new NatsLoginError(address, loginWords(config), cause);
    if (unverified.test(code))
      return new NatsTlsError(
        `The certificate of NATS at ${address} cannot be verified (${code}).`,
        code === 'ERR_TLS_CERT_ALTNAME_INVALID'
          ? 'Connect by a name that it is issued to.'
          : 'Name the authority that issued it in nats.tls.ca.',
        cause,
      );
    if (tlsFailed.test(code) || /alert|handshake|secure TLS connection/i.test(each.message))
      return new NatsTlsError(
        `NATS at ${address} ended the connection during the TLS handshake (${code}).`,
        config.tls.cert
          ? 'See the server’s log for why it does not accept the certificate of this client.'
          : 'If it wants a certificate of this client, name one in nats.tls.cert and nats.tls.key.',
        cause,
      );
    // With TLS 1.3 a server refuses a client without a certificate when the client thinks that all is well.
    if (each instanceof errors.TimeoutError && config.tls.ca && !config.tls.cert)
      return new NatsTlsError(
        `NATS at ${address} did not complete the login after the TLS handshake.`,
        'If it wants a certificate of this client, name one in nats.tls.cert and nats.tls.key; else look at the server and the network.',
        cause,
      );
    if (/tls.* is not available on this server|server does not support '?tls/i.test(each.message))
      return new NatsTlsError(
        `NATS at ${address} speaks no TLS.`,
        'Use nats:// and leave nats.tls.enabled out, or turn TLS on at the server.',
        cause,
      );
  }
  return error;
}

/** What JetStream or the server said, as callers may see it. */
export function diagnoseReply(error: unknown, what: string, subject = ''): unknown {
  for (const each of chain(error)) {
    const cause = { cause: error };
    if (each instanceof errors.PermissionViolationError)
      return new NatsPermissionError(each.operation, each.subject, cause);
    if (each instanceof errors.NoRespondersError)
      return /keep|stream|declare|JetStream/.test(what)
        ? new NatsNoStreamError(subject || each.subject, cause)
        : new NatsNoRespondersError(subject || each.subject, cause);
    if (each instanceof JetStreamApiError) return new NatsRefusedError(what, each.message, each.code, cause);
  }
  return error;
}

/** The error of a stream or a consumer that is looked for. */
export function diagnoseMissing(error: unknown, stream: string, consumer?: string): unknown {
  const code = error instanceof JetStreamApiError ? error.code : undefined;
  if (code === STREAM_NOT_FOUND) return new NatsMissingError('stream', stream, { cause: error });
  if (code === CONSUMER_NOT_FOUND)
    return new NatsMissingError('consumer', `${stream}/${consumer ?? ''}`, { cause: error });
  return diagnoseReply(error, `to look at the stream ${stream}`);
}

/** Numbers of JetStream's errors. */
export const STREAM_NOT_FOUND = 10_059;
export const CONSUMER_NOT_FOUND = 10_014;
