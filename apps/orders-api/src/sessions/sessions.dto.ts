import { ApiProperty } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { EmailQuery, UserAnswer } from '../users/users.dto.js';

export class Login extends EmailQuery {
  @ApiProperty({ maxLength: 128, writeOnly: true, example: 'correct horse' })
  @IsString()
  @MaxLength(128)
  password!: string;
}

export class SessionAnswer {
  @ApiProperty({ description: 'To be sent as `Authorization: Bearer …`' }) token!: string;
  @ApiProperty({ type: UserAnswer }) user!: UserAnswer;
}
