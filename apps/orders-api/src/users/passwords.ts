import { randomBytes, scrypt, type ScryptOptions, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';

const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** One of the settings that OWASP recommends for scrypt: 32 MB, and about a quarter of a second. */
const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1_024 ** 2 };

/** No password has this hash: its key is all zeros. */
const NOBODYS = [
  'scrypt',
  COST.N,
  COST.r,
  COST.p,
  Buffer.alloc(SALT_BYTES).toString('base64'),
  Buffer.alloc(KEY_BYTES).toString('base64'),
].join('$');

/** Salted hashes of passwords, as `scrypt$N$r$p$salt$key`: the parameters stay with each hash, so that they can be raised. */
@Injectable()
export class Passwords {
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const { N, r, p } = COST;
    const key = await derive(password, salt, COST);
    return ['scrypt', N, r, p, salt.toString('base64'), key.toString('base64')].join('$');
  }

  /** Takes the same time whichever byte differs, and without a hash, for a user who does not exist. */
  async verify(password: string, hash: string = NOBODYS): Promise<boolean> {
    const [scheme, N, r, p, salt, key] = hash.split('$');
    if (scheme !== 'scrypt' || !salt || !key) return false;
    const expected = Buffer.from(key, 'base64');
    const options = { N: Number(N), r: Number(r), p: Number(p), maxmem: COST.maxmem };
    const actual = await derive(password, Buffer.from(salt, 'base64'), options);
    return actual.length === expected.length && timingSafeEqual(actual, expected);
  }
}

function derive(password: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, KEY_BYTES, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
