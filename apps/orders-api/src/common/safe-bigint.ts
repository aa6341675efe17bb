import type { ValueTransformer } from 'typeorm';

/** pg hands a bigint over as text; what is written here stays far below 2^53. */
export const safeBigint: ValueTransformer = {
  to: (value: number) => value,
  from: (text: string | null) => (text === null ? null : Number(text)),
};
