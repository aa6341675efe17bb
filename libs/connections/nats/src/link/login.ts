import { existsSync, readFileSync } from 'node:fs';
import {
  type Authenticator,
  type ConnectionOptions,
  credsAuthenticator,
  nkeyAuthenticator,
  nkeys,
} from '@nats-io/transport-node';
import type { NatsConfig } from '../config/nats.config.js';
import { NatsCredentialsError } from '../errors.js';

/** How the app logs in. @throws NatsCredentialsError when a file cannot be read, or what is in it is not what it should be */
export function loginOptions({ user, password, token, credentials, nkeySeed }: NatsConfig): ConnectionOptions {
  if (credentials !== undefined) {
    // Looked at once now, to tell what is wrong with it, and again at each connection, since such files are renewed.
    jwtOf(credentials);
    const authenticator: Authenticator = nonce => credsAuthenticator(jwtOf(credentials))(nonce);
    return { authenticator };
  }
  if (nkeySeed !== undefined) return { authenticator: byKey(textOf('nkeySeed', nkeySeed, /^SU[A-Z2-7]+$/)) };
  if (token !== undefined) return { token };
  return user === undefined ? {} : { user, pass: password ?? '' };
}

/** How the app logs in, in words. */
export function loginWords({ user, token, credentials, nkeySeed }: NatsConfig): string {
  if (credentials !== undefined) return 'by the credentials: they are wrong, or expired';
  if (nkeySeed !== undefined) return 'by the NKEY: its user is unknown';
  if (token !== undefined) return 'by the token: it is wrong';
  return user === undefined ? 'without any: it wants one' : `of ${user}: the user or the password is wrong`;
}

const jwtAndSeed = /-----BEGIN NATS USER JWT-----[\s\S]+-----BEGIN USER NKEY SEED-----/;

function jwtOf(credentials: string): Uint8Array {
  // The client library wants the last line ended.
  return Buffer.from(`${textOf('credentials', credentials, jwtAndSeed)}\n`);
}

function textOf(field: 'credentials' | 'nkeySeed', value: string, form: RegExp): string {
  if (form.test(value.trim())) return value.trim();
  if (value.includes('\n') || !existsSync(value))
    throw new NatsCredentialsError(field, 'it is no file, and not the text either');
  let text: string;
  try {
    text = readFileSync(value, 'utf8').trim();
  } catch (error) {
    throw new NatsCredentialsError(
      field,
      `the file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`,
    );
  }
  if (!form.test(text)) throw new NatsCredentialsError(field, 'the file holds something else');
  return text;
}

function byKey(seed: string): Authenticator {
  try {
    nkeys.fromSeed(Buffer.from(seed));
    return nkeyAuthenticator(Buffer.from(seed));
  } catch {
    // What the library says may quote the seed.
    throw new NatsCredentialsError('nkeySeed', 'it is damaged');
  }
}
