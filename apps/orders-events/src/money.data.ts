import { IsInt, Matches, Min } from 'class-validator';

/** An amount in minor units: 1299 EUR is € 12.99. */
export class MoneyData {
  @IsInt() @Min(0) amount!: number;
  @Matches(/^[A-Z]{3}$/) currency!: string;
}
