import { isNativeError } from 'node:util/types';
import type { RabbitmqConfig } from '../config/rabbitmq.config.js';
import {
  RabbitmqLoginError,
  RabbitmqMissingError,
  RabbitmqPermissionError,
  RabbitmqRefusedError,
  RabbitmqTlsError,
  RabbitmqTooLargeError,
  RabbitmqTopologyError,
  RabbitmqVhostError,
} from '../errors.js';

const unverified =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_\w+|CERT_\w+|ERR_TLS_CERT_ALTNAME_INVALID)$/;
const tlsFailed = /^(EPROTO|ERR_SSL_\w+)$/;

/** Host and port, and the virtual host where it is not the usual one. */
export function addressOf({ host, port, vhost }: RabbitmqConfig): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `${name}:${port}${vhost === '/' ? '' : `/${encodeURIComponent(vhost)}`}`;
}

/** Says what is wrong and what mends it, where an error of connecting shows that; else the error as it is. */
export function diagnoseConnecting(error: unknown, config: RabbitmqConfig): unknown {
  if (!isNativeError(error)) return error;
  const { host, port, user, vhost } = config;
  const address = `${host}:${port}`;
  const { message } = error;
  const code = String((error as { code?: unknown }).code);
  const cause = { cause: error };
  if (/403 \(ACCESS[-_]REFUSED\)|Login was refused/i.test(message)) return new RabbitmqLoginError(address, user, cause);
  // amqplib keeps for itself what the broker says of it.
  if (/530 \(NOT[-_]ALLOWED\)|Expected ConnectionOpenOk; got <ConnectionClose/i.test(message))
    return new RabbitmqVhostError(address, vhost, user, cause);
  if (unverified.test(code))
    return new RabbitmqTlsError(
      `The certificate of RabbitMQ at ${address} cannot be verified (${code}).`,
      code === 'ERR_TLS_CERT_ALTNAME_INVALID'
        ? 'Connect by a name that it is issued to, or say that name in rabbitmq.tls.servername.'
        : 'Name the authority that issued it in rabbitmq.tls.ca.',
      cause,
    );
  if (
    tlsFailed.test(code) ||
    code === 'ECONNRESET' ||
    /closed abruptly|socket hang up|Client network socket/.test(message)
  )
    return config.tls.enabled
      ? new RabbitmqTlsError(
          `RabbitMQ at ${address} ended the connection during the TLS handshake (${code === 'undefined' ? 'closed' : code}).`,
          config.tls.cert
            ? 'If it speaks no TLS on this port, use amqp://; TLS has a port of its own, 5671 as a rule.'
            : 'If it wants a certificate of this client, name one in rabbitmq.tls.cert and rabbitmq.tls.key; if it speaks no TLS on this port, use amqp://.',
          cause,
        )
      : new RabbitmqTlsError(
          `RabbitMQ at ${address} closed the connection before it answered.`,
          'If it wants TLS on this port, use amqps://; else look at the broker’s log, and at what listens on that address.',
          cause,
        );
  return error;
}

/** The error of a channel or of a command by what the broker said. */
export function diagnoseReply(error: unknown, config: Pick<RabbitmqConfig, 'user'>, what = 'the command'): unknown {
  if (!isNativeError(error)) return error;
  const { message } = error;
  const cause = { cause: error };
  const missing = /NOT_FOUND - no (queue|exchange) '([^']*)'/.exec(message);
  if (missing) return new RabbitmqMissingError(missing[1] as 'queue' | 'exchange', missing[2] ?? '', cause);
  const refused = /ACCESS_REFUSED - .*?access to ((?:queue|exchange|topic) '[^']*')/.exec(message);
  if (refused) return new RabbitmqPermissionError(config.user, (refused[1] ?? '').replaceAll("'", ''), cause);
  const differs =
    /inequivalent arg '([^']+)' for (queue|exchange) '([^']+)'.*?: received (.+?) but current is (.+?)["\s]*$/.exec(
      message,
    );
  if (differs) {
    const [, argument = '', kind, name = '', declared = '', existing = ''] = differs;
    return new RabbitmqTopologyError(kind as 'queue', name, argument, plain(declared), plain(existing), cause);
  }
  const large = /message size (\d+) (?:is )?larger than (?:configured )?max size (\d+)/.exec(message);
  if (large) return new RabbitmqTooLargeError(Number(large[1]), Number(large[2]), '', cause);
  const said = /with message "(.*)"$/s.exec(message)?.[1];
  return said === undefined ? error : new RabbitmqRefusedError(what, said, cause);
}

/** `the value '1000' of type 'signedint'` is 1000; `none` stays what it is. */
function plain(words: string): string {
  return /(?:the value )?'([^']*)'/.exec(words)?.[1] ?? words;
}

/** The reply code of AMQP, if the broker closed a channel or a connection. */
export function replyCode(error: unknown): number | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'number' ? code : undefined;
}
