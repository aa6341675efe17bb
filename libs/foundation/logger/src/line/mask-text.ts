// Every repetition is bounded, or ends where it cannot match: a text of any kind is searched in a time that grows with its length only.

const names =
  'password|passwd|passphrase|pwd|secret|token|api[_-]?key|sharedaccesskey|accountkey|private[_-]?key|credentials?';

/** `scheme://user:password@host`, the password alone. A password may hold anything but blanks and `/`; the last `@` before the path ends it. */
const inUrl = /([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/?#@"']*:)[^\s/"']+(?=@)/gi;
/** `https://token@host`: a user without a password is an access token. */
const userOfUrl = /(https?:\/\/)[^\s:/?#@"']{1,1024}(?=@)/gi;
/** `Password=…;` of a connection string, `password=…` of a query or of an environment. */
const inPairs = new RegExp(
  `((?:${names}|signature|cookie|[?&]sig)\\s{0,8}=\\s{0,8})("[^"]*"|'[^']*'|[^\\s;,&"']+)`,
  'gi',
);
/** `"password": "…"` in a JSON text, `password: '…'` as Node prints objects. */
const inJson = new RegExp(
  `((?:${names}|authorization|cookie)["']?\\s{0,8}:\\s{0,8})(?:(")(?:[^"\\\\]|\\\\.)*"?|(')(?:[^'\\\\]|\\\\.)*'?|-?\\d[\\d.]*)`,
  'gi',
);
/** The same in a JSON text that is itself in one. */
const inEscapedJson = new RegExp(
  `((?:${names}|authorization|cookie)\\\\{1,7}"\\s{0,8}:\\s{0,8}\\\\{1,7}")[^"\\\\]*`,
  'gi',
);
/** `Cookie: …` of headers in a text, to the end of the line. */
const cookieHeader = /(\b(?:set-)?cookie:[ \t]{1,8})[^\r\n"']+/gi;
/** `Bearer …` and `Basic …`; a word of small letters after them is prose. */
const authorization = /\b([Bb]earer|[Bb]asic)(\s{1,8})(?=[a-z]*[A-Z\d_~+/=])[\w.~+/=-]{6,}/g;
const jsonWebToken = /\beyJ[\w-]{4,2048}\.[\w-]{1,16384}\.[\w-]*/g;
const privateKey = /(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----)[^-]*/g;
const email = /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g;

/** Masks passwords, keys and tokens where a text shows by its form that there is one. */
export function maskSecrets(text: string): string {
  let masked = text;
  if (masked.includes('@') && masked.includes('://')) {
    masked = masked.replace(inUrl, '$1****');
    if (masked.includes('http')) masked = masked.replace(userOfUrl, '$1****');
  }
  if (masked.includes('=')) masked = masked.replace(inPairs, '$1****');
  if (masked.includes('"') || masked.includes("'")) {
    masked = masked.replace(inJson, '$1$2$3****$2$3');
    if (masked.includes('\\')) masked = masked.replace(inEscapedJson, '$1****');
  }
  if (masked.includes('ookie:')) masked = masked.replace(cookieHeader, '$1****');
  if (masked.includes('earer') || masked.includes('asic')) masked = masked.replace(authorization, '$1$2****');
  if (masked.includes('eyJ')) masked = masked.replace(jsonWebToken, '****');
  if (masked.includes('PRIVATE KEY')) masked = masked.replace(privateKey, '$1****');
  return masked;
}

export function maskEmails(text: string, censor: string): string {
  return text.includes('@') ? text.replace(email, () => censor) : text;
}

/**
 * Whether `text` may hold a secret around `index`, the place of a blank or a `J`: the end of `Bearer ` or `Basic `, or the beginning of a
 * JSON web token. For {@link maskSecrets} to be spared where nothing is to be masked.
 */
export function hintsAtToken(text: string, index: number, code: number): boolean {
  if (code === 74) return text.charCodeAt(index - 1) === 121;
  const last = text.charCodeAt(index - 1) | 32;
  const third = text.charCodeAt(index - 4) | 32;
  // earer, asic
  return (last === 114 && third === 97) || (last === 99 && third === 97);
}
