import { createApp, CoreInfraModule, listen, shutDown } from '@core-infra/core';
import { HttpModule } from '@core-infra/http';
import { httpAdapters } from '@core-infra/testing';
import { type INestApplication, Module } from '@nestjs/common';
import { get } from 'node:http';

@Module({ imports: [CoreInfraModule.forRoot({ concerns: [HttpModule], http: { port: 0 } })] })
class AppModule {}

/** `fetch` would mend the URL. */
function getRaw(url: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    get(url, { path }, response => {
      let body = '';
      response.setEncoding('utf8').on('data', chunk => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    }).on('error', reject);
  });
}

describe.each(httpAdapters)('a URL that cannot be decoded, on %s', adapter => {
  it('is answered with the standard body', async () => {
    const target = await createApp(AppModule, { adapter });
    try {
      const { status, body } = await getRaw(await listen(target.app as INestApplication), '/api/v1/%FF');
      expect([400, 404]).toContain(status);
      expect(JSON.parse(body)).toMatchObject({
        success: false,
        error_code: expect.any(String),
        details: { request_id: expect.any(String) },
      });
    } finally {
      await shutDown(target, 'test');
    }
  });
});
