// Every repetition is bounded: a text of any kind is searched in a time that grows with its length only.

/** `scheme://user:password@host`, the password alone. A password may hold anything but blanks and `/`; the last `@` before the path ends it. */
const inUrl = /([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/?#@"']*:)[^\s/"']+(?=@)/gi;
/** `Password=…;` of a connection string, `password=…` of a query. */
const inPairs =
  /((?:password|passwd|pwd|secret|token|api[_-]?key|sharedaccesskey|accountkey)\s{0,8}=\s{0,8})("[^"]*"|'[^']*'|[^\s;,&"']+)/gi;
const email = /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g;

/** Masks the passwords of connection strings. */
export function maskSecrets(text: string): string {
  let masked = text.includes('://') ? text.replace(inUrl, '$1****') : text;
  if (masked.includes('=')) masked = masked.replace(inPairs, '$1****');
  return masked;
}

export function maskEmails(text: string, censor: string): string {
  return text.includes('@') ? text.replace(email, () => censor) : text;
}
