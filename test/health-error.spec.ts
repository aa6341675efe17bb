import { CoreInfraModule } from '@core-infra/core';
import { bootHttp, httpAdapters } from '@core-infra/testing';

describe.each(httpAdapters)('an unknown check on %s', adapter => {
  it('is answered with the id of the request and the names that exist', async () => {
    await using app = await bootHttp(adapter, CoreInfraModule.forRoot({ health: { rss: { downBytes: 2 ** 40 } } }));
    const response = await app.fetch('/health/nothing', { headers: { 'x-request-id': 'probe-1' } });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      success: false,
      error: expect.stringContaining('nothing'),
      error_code: 'INFRA_UNKNOWN_CHECK',
      details: { request_id: 'probe-1', known: ['rss'] },
    });
  });
});
