import { errorMetadata, type InfraError } from '@core-infra/kernel';
import { errorContent } from './error-schema.js';

/** Where @nestjs/swagger looks for the answers of a handler. Written as it is, so that the package is not loaded where the page is off. */
const API_RESPONSES = 'swagger/apiResponse';

type ErrorClass = abstract new (...args: never[]) => InfraError;

/**
 * Says in the OpenAPI document which errors a handler may answer, by the code, status and summary that each states with
 * `@ErrorSpec`. Invalid input is there without saying.
 * @throws TypeError for a class that states nothing
 */
export function ApiErrors(...errors: readonly ErrorClass[]): MethodDecorator {
  const answers: Record<number, { description: string; content: typeof errorContent }> = {};
  for (const errorClass of errors) {
    const spec = errorMetadata(errorClass);
    if (!spec) throw new TypeError(`${errorClass.name} has no @ErrorSpec, so there is nothing to describe.`);
    const { description } = answers[spec.status] ?? {};
    const line = `\`${spec.code}\`: ${spec.summary}`;
    answers[spec.status] = { description: description ? `${description}\n\n${line}` : line, content: errorContent };
  }
  return (_target, _key, { value: handler }: PropertyDescriptor) => {
    const others = (Reflect.getMetadata(API_RESPONSES, handler as object) ?? {}) as object;
    Reflect.defineMetadata(API_RESPONSES, { ...others, ...answers }, handler as object);
  };
}
