import type { KafkaSaslConfig } from '../../config/sasl.config.js';
import { KafkaAuthenticationError } from '../../errors.js';

/** How long an endpoint may take, in milliseconds. */
const TOKEN_WITHIN_MS = 4_000;

/** Tokens for OAUTHBEARER: from code, or from an endpoint by client credentials (RFC 6749, section 4.4). */
export function tokenProvider(sasl: KafkaSaslConfig): () => Promise<{ value: string }> {
  const { token } = sasl.oauth;
  if (token) return async () => ({ value: await token() });
  return async () => ({ value: await fetchToken(sasl) });
}

async function fetchToken({ tokenEndpoint = '', username = '', password = '', scopes }: KafkaSaslConfig) {
  const basic = Buffer.from(`${encodeURIComponent(username)}:${encodeURIComponent(password)}`).toString('base64');
  const fail = (reason: string, cause?: unknown) =>
    new KafkaAuthenticationError(tokenEndpoint, 'OAUTHBEARER', reason, { cause });
  const response = await fetch(tokenEndpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    }),
    signal: AbortSignal.timeout(TOKEN_WITHIN_MS),
  }).catch((error: unknown) => {
    throw fail('the token endpoint does not answer', error);
  });
  if (!response.ok) throw fail(`the token endpoint answers ${response.status}`);
  const { access_token: token } = (await response.json()) as { access_token?: unknown };
  if (typeof token !== 'string') throw fail('the token endpoint answers without an access_token');
  return token;
}
