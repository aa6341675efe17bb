import { AppInfo } from '@core-infra/kernel';
import type { INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { HttpConfig } from '../http.config.js';
import { errorComponents, errorContent } from './error-schema.js';

type Responses = NonNullable<NonNullable<OpenAPIObject['paths'][string]['get']>['responses']>;

const invalidInput = '`VALIDATION_ERROR`: Input does not fit its rules; details.field_errors names each field.';

/** The OpenAPI document of an app, with the error answer of every operation. Loads @nestjs/swagger. */
export async function createOpenApiDocument(app: INestApplication): Promise<OpenAPIObject> {
  return (await documentFactory(app))();
}

/** Scanning every controller takes a moment, so that it waits for whoever asks for the document. */
export async function documentFactory(app: INestApplication): Promise<() => OpenAPIObject> {
  const { DocumentBuilder, SwaggerModule } = await import('@nestjs/swagger');
  const { name, version } = infoOf(app);
  const head = new DocumentBuilder().setTitle(name).setVersion(version).build();
  const { status } = app.get(HttpConfig, { strict: false }).validation;
  return () => withErrors(SwaggerModule.createDocument(app, head), status);
}

function infoOf(app: INestApplication): AppInfo {
  try {
    return app.get(AppInfo, { strict: false });
  } catch {
    return AppInfo.unknown; // Nest has no optional `get`; without the config module nobody provides it
  }
}

/** Every operation answers errors in one shape; one that documents its own `default` keeps it. */
function withErrors(document: OpenAPIObject, invalidStatus: number): OpenAPIObject {
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, ...errorComponents },
  };
  for (const path of Object.values(document.paths)) {
    for (const operation of [path.get, path.post, path.put, path.patch, path.delete, path.head, path.options]) {
      if (!operation) continue;
      operation.responses ??= {};
      operation.responses['default'] ??= { description: 'An error', content: errorContent };
      if (operation.requestBody || operation.parameters?.length) addInvalidInput(operation.responses, invalidStatus);
    }
  }
  return document;
}

/** Beside the errors of the same status that `ApiErrors` names; an answer that the app documents itself stays as it is. */
function addInvalidInput(responses: Responses, status: number): void {
  const other = responses[status];
  if (!other) responses[status] = { description: invalidInput, content: errorContent };
  else if ('description' in other && JSON.stringify(other.content) === JSON.stringify(errorContent))
    other.description = `${invalidInput}\n\n${other.description}`;
}
