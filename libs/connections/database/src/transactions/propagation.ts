import { Propagation as Cls } from '@nestjs-cls/transactional';

/** What a call does about a transaction that is already running. */
export type Propagation =
  /** Takes part in it, or begins one. The default. */
  | 'required'
  /** Begins one of its own, on a connection of its own. */
  | 'requires-new'
  /** Begins a savepoint in it, or a transaction. */
  | 'nested'
  /** Takes part in it; without one it is an error. */
  | 'mandatory'
  /** With one it is an error. */
  | 'never'
  /** Takes part in it if there is one. */
  | 'supports'
  /** Runs outside of it. */
  | 'not-supported';

export const clsPropagation: Readonly<Record<Propagation, Cls>> = {
  required: Cls.Required,
  'requires-new': Cls.RequiresNew,
  nested: Cls.Nested,
  mandatory: Cls.Mandatory,
  never: Cls.Never,
  supports: Cls.Supports,
  'not-supported': Cls.NotSupported,
};
