import { IsArray, IsBoolean, IsInt, IsNumber, IsString, Max, Min } from 'class-validator';

/** The sample's own payment provider, which is not a good one. */
export class FakePaymentsConfig {
  /** Whether it answers at all; not in production, unless somebody says so. @default false */
  @IsBoolean()
  enabled: boolean = false;

  /** Which share of the calls it answers with 503, from 0 to 1, spread evenly: half of those before it has charged, half after. @default 0.3 */
  @IsNumber()
  @Min(0)
  @Max(1)
  failing: number = 0.3;

  /** How long it thinks, in milliseconds. @default 100 */
  @IsInt()
  @Min(0)
  @Max(60_000)
  delayMs: number = 100;

  /** Cards that it declines. @default card_declined */
  @IsArray()
  @IsString({ each: true })
  declined: string[] = ['card_declined'];

  /** Cards about which it answers nonsense. @default card_garbled */
  @IsArray()
  @IsString({ each: true })
  garbled: string[] = ['card_garbled'];
}
