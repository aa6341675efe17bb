import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsInt, IsString, Length, Matches, Min } from 'class-validator';

export class NewRefund {
  @ApiProperty({ description: 'What the charges were for', example: 'an order' })
  @IsString()
  @Length(1, 100)
  reference!: string;
}

export class NewCharge {
  @ApiProperty({ description: 'What the charge is for', example: 'an order' })
  @IsString()
  @Length(1, 100)
  reference!: string;

  @ApiProperty({ type: 'integer', minimum: 0 })
  @IsInt()
  @Min(0)
  amount!: number;

  @ApiProperty({ example: 'EUR' })
  @Matches(/^[A-Z]{3}$/)
  currency!: string;

  @ApiProperty({ example: 'card_ok' })
  @IsString()
  @Length(1, 100)
  card!: string;
}

export const cardTempers = ['good', 'declined', 'garbled'] as const;
export type CardTemper = (typeof cardTempers)[number];

export class ChangeCard {
  @ApiProperty({ enum: cardTempers })
  @IsIn(cardTempers)
  temper!: CardTemper;
}

export class FakePayment {
  @ApiProperty({ format: 'uuid' }) payment_id!: string;
  @ApiProperty({ type: 'integer' }) amount!: number;
  @ApiProperty() currency!: string;
  @ApiProperty() refunded!: boolean;
}

export class FakePayments {
  @ApiProperty({ type: 'integer' }) total!: number;
  @ApiProperty({ type: [FakePayment] }) items!: FakePayment[];
}
