import { ConfigSection } from '@core-infra/kernel';
import { IsBoolean, IsInt, IsString, Matches, Max, Min } from 'class-validator';

const headerName = /^[a-z0-9!#$%&'*+.^_`|~-]*$/;
const lowerCase = { message: 'must be a header name in lower case' };

/** Section `context`: what a request brings along in its headers, and how far it is believed. */
@ConfigSection('context')
export class ContextConfig {
  /** Header of the request id, in the request and in the answer; empty turns both off. @default 'x-request-id' */
  @IsString()
  @Matches(headerName, lowerCase)
  requestIdHeader: string = 'x-request-id';

  /** Whether a sane request id of the caller is kept; if not, every request gets a new one. @default true */
  @IsBoolean()
  trustRequestId: boolean = true;

  /** Header of the correlation id; without one, the correlation id is the request id. Empty ignores it. @default 'x-correlation-id' */
  @IsString()
  @Matches(headerName, lowerCase)
  correlationIdHeader: string = 'x-correlation-id';

  /** The longest id that is accepted from a caller, in characters. @default 128 */
  @IsInt()
  @Min(8)
  @Max(1_024)
  maxIdLength: number = 128;

  /** Whether `traceparent` and `tracestate` (W3C Trace Context) are taken over where they are valid. @default true */
  @IsBoolean()
  trustTraceContext: boolean = true;

  /**
   * Header in which a caller says how long it will wait: milliseconds, or a number with a unit as in gRPC (`5S`, `250m`). Empty ignores it.
   * @default 'x-request-timeout-ms'
   */
  @IsString()
  @Matches(headerName, lowerCase)
  timeoutHeader: string = 'x-request-timeout-ms';

  /** The longest time to a deadline that a caller may ask for, in milliseconds. @default 60_000 */
  @IsInt()
  @Min(1)
  maxTimeoutMs: number = 60_000;

  /** Time to the deadline of a request that names none, in milliseconds; 0 is no deadline. @default 0 */
  @IsInt()
  @Min(0)
  defaultTimeoutMs: number = 0;
}
