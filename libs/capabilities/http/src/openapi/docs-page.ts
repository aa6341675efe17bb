import { importPackage } from '@core-infra/kernel';
import type { INestApplication } from '@nestjs/common';
import { documentFactory } from './document.js';

/**
 * Serves the document's page under `url` and the document under `<url>-json`.
 * @throws MissingPackageError when the app runs on Fastify without @fastify/static, which serves the page's files
 */
export async function serveDocs(app: INestApplication, url: string): Promise<void> {
  if (app.getHttpAdapter().getType() === 'fastify')
    await importPackage(() => import('@fastify/static'), 'The OpenAPI page (http.docsUrl) on Fastify', [
      '@fastify/static@^10',
    ]);
  const { SwaggerModule } = await import('@nestjs/swagger');
  SwaggerModule.setup(url, app, await documentFactory(app), { jsonDocumentUrl: `${url}-json`, raw: ['json'] });
}
