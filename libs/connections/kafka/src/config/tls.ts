import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { KafkaTlsFileError } from '../errors.js';
import type { KafkaTlsConfig } from './tls.config.js';

/**
 * Our TLS settings in Node's words.
 * @throws KafkaTlsFileError when a certificate or key cannot be read
 */
export function tlsOptions(tls: KafkaTlsConfig): ConnectionOptions {
  return {
    ...pem('ca', tls.ca),
    ...pem('cert', tls.cert),
    ...pem('key', tls.key),
    ...(tls.servername !== undefined && { servername: tls.servername }),
    rejectUnauthorized: tls.rejectUnauthorized,
  };
}

function pem(field: 'ca' | 'cert' | 'key', value: string | undefined): ConnectionOptions {
  if (!value) return {};
  if (value.includes('-----BEGIN')) return { [field]: value };
  try {
    return { [field]: readFileSync(value, 'utf8') };
  } catch (error) {
    throw new KafkaTlsFileError(field, field === 'key' ? undefined : value, error);
  }
}
