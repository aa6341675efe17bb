import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsString, Length, Matches, ValidateIf } from 'class-validator';

/** A text of one line, without the blanks around it. PostgreSQL stores no NUL, and nobody means the other control characters. */
export function Text({ max }: { max: number }): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value)),
    IsString(),
    Length(1, max),
    Matches(/^\P{Cc}*$/u, { message: 'must have no control characters' }),
  );
}

/** May be left out, but not be null: `IsOptional` takes both. */
export function MayBeLeftOut(): PropertyDecorator {
  return ValidateIf((_object, value) => value !== undefined);
}
