import type { ExecutionContext } from '@nestjs/common';
import type { FlagContext } from '../feature-flags.js';

/** Attributes of who calls a handler, e.g. `context => ({ roles: context.switchToHttp().getRequest().user.roles })`. */
export type ContextOfCall = (context: ExecutionContext) => FlagContext | undefined;
