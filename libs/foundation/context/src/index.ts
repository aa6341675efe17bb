export { ContextConfig } from './context.config.js';
export { ContextModule } from './context.module.js';
export { CurrentContext } from './current-context.decorator.js';
export { DeadlineExceededError, RequestAbortedError } from './errors.js';
export { UuidV7 } from './uuid-v7.js';
