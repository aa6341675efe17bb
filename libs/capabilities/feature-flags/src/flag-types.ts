import type { FlagValue } from './flag-document.js';

/**
 * The app's flags by name, with the types of their values, to be filled in by the app. Without an entry any text is a flag's name.
 *
 * ```ts no-check
 * declare module '@core-infra/feature-flags' {
 *   interface FlagTypes {
 *     'new-dashboard': boolean;
 *     banner: 'a' | 'b';
 *   }
 * }
 * ```
 */
// oxlint-disable-next-line typescript/no-empty-interface, typescript/no-empty-object-type
export interface FlagTypes {}

/** Names of flags. */
export type FlagKey = keyof FlagTypes extends never ? string : Extract<keyof FlagTypes, string>;

/** Names of flags that are true or false. */
export type BooleanFlagKey = keyof FlagTypes extends never
  ? string
  : { [K in Extract<keyof FlagTypes, string>]: FlagTypes[K] extends boolean ? K : never }[Extract<
      keyof FlagTypes,
      string
    >];

/** What a flag's value is. */
export type ValueOf<Key extends string> = Key extends keyof FlagTypes ? FlagTypes[Key] : FlagValue;

/** `true` is a boolean where nothing else is known of a flag, and `'a'` a string. */
export type Widened<T> = T extends boolean ? boolean : T extends number ? number : T extends string ? string : T;

/** What a call with a fallback answers. */
export type Answer<Key extends string, Fallback> = Key extends keyof FlagTypes ? FlagTypes[Key] : Widened<Fallback>;
