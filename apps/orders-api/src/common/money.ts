import { ApiProperty } from '@nestjs/swagger';
import { IsInt, Matches, Max, Min } from 'class-validator';

/** An amount in minor units: 1299 EUR is € 12.99. Never a fraction. */
export class Money {
  @ApiProperty({ type: 'integer', minimum: 0, example: 1299, description: 'In minor units' })
  @IsInt()
  @Min(0)
  @Max(1_000_000_00)
  amount!: number;

  @ApiProperty({ example: 'EUR', description: 'ISO 4217' })
  @Matches(/^[A-Z]{3}$/, { message: 'must be a currency code of three capitals' })
  currency!: string;
}
