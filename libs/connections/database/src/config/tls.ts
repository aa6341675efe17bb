import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { TlsFileError } from '../errors.js';
import type { DatabaseConfig } from './database.config.js';

/**
 * What libpq's sslmode means in Node's TLS options; `false` for no TLS.
 * @throws TlsFileError when a certificate or key cannot be read
 */
export function tlsOptions(config: DatabaseConfig): false | ConnectionOptions {
  const { sslMode } = config;
  if (sslMode === 'disable') return false;
  const options: ConnectionOptions = {
    ...pem('ca', 'sslCa', config.sslCa),
    ...pem('cert', 'sslCert', config.sslCert),
    ...pem('key', 'sslKey', config.sslKey),
  };
  if (sslMode === 'verify-full') return { ...options, rejectUnauthorized: true };
  // `require` with a certificate authority verifies it, like `verify-ca`: so says libpq.
  if (sslMode === 'verify-ca' || (sslMode === 'require' && config.sslCa))
    return { ...options, rejectUnauthorized: true, checkServerIdentity: () => undefined };
  return { ...options, rejectUnauthorized: false };
}

function pem(option: 'ca' | 'cert' | 'key', field: string, value: string | undefined): ConnectionOptions {
  if (!value) return {};
  if (value.includes('-----BEGIN')) return { [option]: value };
  try {
    return { [option]: readFileSync(value, 'utf8') };
  } catch (error) {
    throw new TlsFileError(field, field === 'sslKey' ? undefined : value, error);
  }
}
