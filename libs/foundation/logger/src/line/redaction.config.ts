import { IsArray, IsBoolean, IsString } from 'class-validator';

/** What never reaches a line. */
export class RedactionConfig {
  /** Whether values under secret names (password, token, authorization, …) are replaced, at any depth. @default true */
  @IsBoolean()
  enabled: boolean = true;

  /** More names whose values are replaced; case, `_` and `-` do not count. @default [] */
  @IsArray()
  @IsString({ each: true })
  keys: string[] = [];

  /** Names that are written though they look secret, e.g. `csrf_token_age`. @default [] */
  @IsArray()
  @IsString({ each: true })
  allow: string[] = [];

  /** Paths in a line's fields whose values are replaced, e.g. `body.card`, `users.*.note`. @default [] */
  @IsArray()
  @IsString({ each: true })
  paths: string[] = [];

  /** Whether personal data goes as well: names like email, phone, first_name, and e-mail addresses in texts. @default false */
  @IsBoolean()
  personal: boolean = false;

  /** What stands in for a value. @default '[redacted]' */
  @IsString()
  censor: string = '[redacted]';
}
