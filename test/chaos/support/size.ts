/** `npm run chaos -- --injections 1000`: how many kills each broker's run sees; the other specs take their size from it. */
export const INJECTIONS = Number(process.env.CHAOS_INJECTIONS ?? 50);

/** Whether it is worth minutes. */
export const isLong = INJECTIONS > 50;
