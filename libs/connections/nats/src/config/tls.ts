import { readFileSync } from 'node:fs';
import type { TlsOptions } from '@nats-io/transport-node';
import { NatsTlsFileError } from '../errors.js';
import type { NatsTlsConfig } from './tls.config.js';

/**
 * Our TLS settings in the client's words.
 * @throws NatsTlsFileError when a certificate or key cannot be read
 */
export function tlsOptions(tls: NatsTlsConfig): TlsOptions {
  return {
    ...pem('ca', tls.ca),
    ...pem('cert', tls.cert),
    ...pem('key', tls.key),
    ...(tls.handshakeFirst && { handshakeFirst: true }),
  };
}

function pem(field: 'ca' | 'cert' | 'key', value: string | undefined): TlsOptions {
  if (!value) return {};
  if (value.includes('-----BEGIN')) return { [field]: value };
  try {
    return { [field]: readFileSync(value, 'utf8') };
  } catch (error) {
    throw new NatsTlsFileError(field, field === 'key' ? undefined : value, error);
  }
}
