/**
 * A text as it may be shown: `postgres://app:secret@db/orders` is `postgres://****@db/orders`, and `password=secret` is `password=****`.
 * Clients quote their addresses in their errors; what they say of a server is wanted, and what opens it is not.
 * A password with an `@` or a `/` in it is masked up to the last `@` of the word, rather too much than too little.
 */
export function withoutCredentials(text: string): string {
  return text
    .replace(/\b([a-z][a-z\d+.-]{0,30}:\/\/)[^\s"'<>`]{0,2000}@/gi, '$1****@')
    .replace(
      /\b(password|passwd|pwd|secret|token|api[-_]?key|accountkey)(\s{0,8}=\s{0,8})(?:"[^"]*"|'[^']*'|[^\s;&,"']+)/gi,
      '$1$2****',
    );
}
