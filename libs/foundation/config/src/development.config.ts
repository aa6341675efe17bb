import { IsBoolean } from 'class-validator';
import { ConfigSection } from '@core-infra/kernel';

/** Help while developing that would be a leak in production. */
@ConfigSection('development')
export class DevelopmentConfig {
  /** Debug level, pretty logs, stacks in answers. Refused in production. @default false */
  @IsBoolean() debug: boolean = false;
}
