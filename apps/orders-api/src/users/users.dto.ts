import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, IsEmail, IsOptional, IsString, IsUUID, Length, Matches, MaxLength } from 'class-validator';
import { MayBeLeftOut, Text } from '../common/input.js';
import type { User } from './user.entity.js';

const lowerCase = Transform(({ value }: { value: unknown }) =>
  typeof value === 'string' ? value.trim().toLowerCase() : value,
);
const phone = Matches(/^\+?[\d ()-]{5,19}$/, { message: 'must be a phone number of at most 20 characters' });

export class EmailQuery {
  @ApiProperty({ example: 'ada@example.com' })
  @lowerCase
  @IsEmail()
  @MaxLength(100)
  email!: string;
}

export class CreateUser extends EmailQuery {
  @ApiProperty({ example: 'Ada', maxLength: 100 })
  @Text({ max: 100 })
  first_name!: string;

  @ApiProperty({ example: 'Lovelace', maxLength: 100 })
  @Text({ max: 100 })
  last_name!: string;

  @ApiPropertyOptional({ example: '+44 20 7946 0000', maxLength: 20 })
  @IsOptional()
  @phone
  phone?: string;

  @ApiProperty({ minLength: 8, maxLength: 128, writeOnly: true, example: 'correct horse' })
  @IsString()
  @Length(8, 128)
  password!: string;
}

export class UpdateProfile {
  @ApiPropertyOptional({ maxLength: 100 })
  @MayBeLeftOut()
  @Text({ max: 100 })
  first_name?: string;

  @ApiPropertyOptional({ maxLength: 100 })
  @MayBeLeftOut()
  @Text({ max: 100 })
  last_name?: string;

  @ApiPropertyOptional({ maxLength: 20, type: 'string', nullable: true, description: 'null removes it' })
  @IsOptional()
  @phone
  phone?: string | null;
}

export class UpdatePassword {
  @ApiProperty({ writeOnly: true })
  @IsString()
  @MaxLength(128)
  current_password!: string;

  @ApiProperty({ minLength: 8, maxLength: 128, writeOnly: true })
  @IsString()
  @Length(8, 128)
  new_password!: string;
}

export class ProfilesQuery {
  @ApiProperty({ type: 'string', description: 'Up to 100 ids, separated by commas' })
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.split(',') : value))
  @ArrayMaxSize(100)
  @IsUUID(undefined, { each: true, message: 'must be UUIDs, separated by commas' })
  ids!: string[];
}

export class PublicProfile {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty() first_name!: string;
  @ApiProperty() last_name!: string;

  static of({ id, firstName, lastName }: User): PublicProfile {
    return { id, first_name: firstName, last_name: lastName };
  }
}

export class PublicProfiles {
  @ApiProperty({ type: [PublicProfile] }) items!: PublicProfile[];
}

/** A user as answers show it: without the password. */
export class UserAnswer extends PublicProfile {
  @ApiProperty() email!: string;
  @ApiProperty({ type: 'string', nullable: true }) phone!: string | null;
  @ApiProperty() created_at!: Date;
  @ApiProperty() updated_at!: Date;

  static override of(user: User): UserAnswer {
    const { email, phone: number, createdAt, updatedAt } = user;
    return { ...PublicProfile.of(user), email, phone: number, created_at: createdAt, updated_at: updatedAt };
  }
}
