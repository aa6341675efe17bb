import { createParamDecorator } from '@nestjs/common';
import type { ContextFields } from '@core-infra/kernel';
import { ClsServiceManager } from 'nestjs-cls';
import { contextIn } from './cls-request-context.js';

/**
 * The running context, or one field of it, as a parameter of a handler:
 * `find(@CurrentContext('userId') userId: string | undefined)`.
 */
export const CurrentContext: (field?: keyof ContextFields) => ParameterDecorator = createParamDecorator(
  (field: keyof ContextFields | undefined) => {
    // A decorator has no injector; nestjs-cls keeps one service for the process.
    const context = contextIn(ClsServiceManager.getClsService());
    return field === undefined ? context : context?.[field];
  },
);
