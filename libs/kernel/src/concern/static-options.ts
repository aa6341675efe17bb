import type { InjectionToken, Provider } from '@nestjs/common';

/** What `forRoot` was given, by the provider that Nest's builder made of it; `undefined` when a factory or a class gives it later. */
export function staticOptions<Options extends object>(
  providers: readonly Provider[] | undefined,
  token: InjectionToken,
): Options | undefined {
  const provider = providers?.find(candidate => typeof candidate === 'object' && candidate.provide === token);
  return provider && 'useValue' in provider ? (provider.useValue as Options) : undefined;
}
