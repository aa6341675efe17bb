import { ConfigSection } from '@core-infra/kernel';
import { IsBoolean } from 'class-validator';

/** Section `sample`: a section of the app's own, validated like those of the library. */
@ConfigSection('sample')
export class SampleConfig {
  /** Whether the sample's catalogue is added at boot; what is there already stays as it is. @default false */
  @IsBoolean()
  seed: boolean = false;
}
