import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsBoolean, IsDefined, IsInt, Matches, Max, Min, ValidateNested } from 'class-validator';
import { MayBeLeftOut, Text } from '../common/input.js';
import { Money } from '../common/money.js';
import type { Product } from './product.entity.js';

export class CreateProduct {
  @ApiProperty({ example: 'TEA-EARL-100', maxLength: 40 })
  @Matches(/^[A-Z0-9][A-Z0-9-]{1,39}$/, { message: 'must be capitals, digits and hyphens, 2 to 40 of them' })
  sku!: string;

  @ApiProperty({ example: 'Earl Grey, 100 g', maxLength: 200 })
  @Text({ max: 200 })
  name!: string;

  @ApiProperty({ type: Money })
  @IsDefined()
  @ValidateNested()
  @Type(() => Money)
  price!: Money;

  @ApiProperty({ type: 'integer', minimum: 0 })
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  stock!: number;

  @ApiPropertyOptional({ default: true })
  @MayBeLeftOut()
  @IsBoolean()
  is_active?: boolean;
}

export class AdjustStock {
  @ApiProperty({ type: 'integer', example: 12, description: 'How many come in; negative, how many go out' })
  @IsInt()
  @Min(-1_000_000)
  @Max(1_000_000)
  change!: number;
}

export class ProductAnswer {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty() sku!: string;
  @ApiProperty() name!: string;
  @ApiProperty({ type: Money }) price!: Money;
  @ApiProperty({ type: 'integer' }) stock!: number;
  @ApiProperty() is_active!: boolean;
  @ApiProperty() created_at!: Date;

  static of({ id, sku, name, priceAmount, currency, stock, isActive, createdAt }: Product): ProductAnswer {
    const price = { amount: priceAmount, currency };
    return { id, sku, name, price, stock, is_active: isActive, created_at: createdAt };
  }
}
