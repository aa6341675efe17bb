/** What the provider has said of a charge. */
export type Charge = { readonly declined: false; readonly paymentId: string } | { readonly declined: true };
