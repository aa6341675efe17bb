import { Secret } from '@core-infra/kernel';
import { IsArray, IsBoolean, ValidateBy } from 'class-validator';
import { type EncryptionKey, keyProblem } from './key-ring.js';

/** AES-256-GCM of the values; keys of entries stay readable. */
export class EncryptionConfig {
  /**
   * 32 bytes each, as base64 or hex: `{ id, key }`, or `id:key` in a comma list. The first one encrypts, all of them decrypt, so a new key is put
   * in front and the old one taken out when what it encrypted has ended. None leaves values as they are.
   * @default []
   */
  @Secret()
  @IsArray()
  @ValidateBy({
    name: 'isKeyRing',
    validator: {
      validate: value => keyProblem(value) === undefined,
      defaultMessage: args => `$property: ${keyProblem(args?.value) ?? ''}`,
    },
  })
  keys: (EncryptionKey | string)[] = [];

  /**
   * Whether values that are not encrypted are read too, while processes without keys still write. Until it is off again, whoever can write to the
   * store can put in values of their own. @default false
   */
  @IsBoolean()
  acceptPlain: boolean = false;
}
