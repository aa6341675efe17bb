import { useOrdersApi } from './support/orders-api.js';
import { sharesItsState } from './support/shared-state.js';

describe('without a Redis', () => {
  const api = useOrdersApi();

  sharesItsState(api);

  it('connects to none', async () => {
    expect((await api.get('//health/redis')).status).toBe(404);
  });
});
