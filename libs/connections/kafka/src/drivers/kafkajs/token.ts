import type { KafkaSaslConfig } from '../../config/sasl.config.js';
import { KafkaTokenError } from '../../errors.js';

/** How long an endpoint may take, in milliseconds. */
const TOKEN_WITHIN_MS = 4_000;

/** Why there is no token: what kafkajs says after that is that the login was not gone on with. */
const failures = new WeakMap<KafkaSaslConfig, Error>();

/** What the last attempt to get a token failed with, if it did. */
export function tokenFailure(sasl: KafkaSaslConfig): Error | undefined {
  return failures.get(sasl);
}

/** Tokens for OAUTHBEARER: from code, or from an endpoint by client credentials (RFC 6749, section 4.4). */
export function tokenProvider(sasl: KafkaSaslConfig): () => Promise<{ value: string }> {
  const get = sasl.oauth.token ?? (() => fetchToken(sasl));
  return async () => {
    try {
      const value = await get();
      failures.delete(sasl);
      return { value };
    } catch (error) {
      failures.set(sasl, error as Error);
      throw error;
    }
  };
}

async function fetchToken(sasl: KafkaSaslConfig): Promise<string> {
  const { tokenEndpoint = '', username = '', password = '', scopes } = sasl;
  const basic = Buffer.from(`${encodeURIComponent(username)}:${encodeURIComponent(password)}`).toString('base64');
  // Whatever else is in the address may be a secret.
  const { host } = new URL(tokenEndpoint);
  const response = await fetch(tokenEndpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    }),
    signal: AbortSignal.timeout(TOKEN_WITHIN_MS),
  }).catch((error: unknown) => {
    throw new KafkaTokenError(host, `it does not answer (${whyNot(error)})`, { cause: error });
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new KafkaTokenError(host, `it answers ${response.status}`);
  }
  // Without a cause: it would quote the answer, in which the token may be.
  const answer = (await response.json().catch(() => {
    throw new KafkaTokenError(host, 'its answer is no JSON');
  })) as { access_token?: unknown } | null;
  const token = answer?.access_token;
  if (typeof token !== 'string') throw new KafkaTokenError(host, 'its answer has no access_token');
  return token;
}

function whyNot(error: unknown): string {
  const { name, cause } = error as { name: string; cause?: { code?: string } };
  return cause?.code ?? name;
}
