import type { RedactionConfig } from './redaction.config.js';

/** A name that has one of these anywhere is secret: `userPassword`, `x-api-key-2`. Compared without case, `_`, `-`, `.` and blanks. */
const secretParts =
  'password passwd passphrase secret authorization apikey credential privatekey connectionstring cookie'.split(' ');
/** A name that ends with one of these is secret: `accessToken`, but not `tokenCount`. */
const secretEnds = 'token tokens dsn pwd jwt otp cvv cvc cardnumber accesskey sessionid pincode'.split(' ');

/** Names that are secret as they stand, and harmless as a part of another. */
const secretNames = 'pass bearer pin rawheaders'.split(' ');

const personalParts =
  'email phone firstname lastname fullname givenname familyname surname birthdate dateofbirth'.split(' ');
const personalEnds = 'mobile msisdn ssn dob postaladdress streetaddress passportnumber username displayname'.split(' ');

/** Steps of a redaction path; `*` is any key or index. */
export interface PathNode {
  readonly next: Map<string, PathNode>;
  /** Whether the value at this place goes. */
  ends: boolean;
}

const plain = (name: string) => name.toLowerCase().replace(/[\s._-]+/g, '');

/** Which names and paths are secret. */
export class RedactionRules {
  readonly personal: boolean;
  readonly censor: string;
  /** Undefined when no path is configured, which then costs nothing. */
  readonly paths: PathNode | undefined;
  private readonly enabled: boolean;
  private readonly parts: readonly string[];
  private readonly ends: readonly string[];
  private readonly own: ReadonlySet<string>;
  private readonly allowed: ReadonlySet<string>;

  constructor(config: RedactionConfig) {
    this.enabled = config.enabled;
    this.personal = config.personal;
    this.censor = config.censor;
    this.own = new Set([...(config.enabled ? secretNames : []), ...config.keys.map(plain)]);
    this.allowed = new Set(config.allow.map(plain));
    this.parts = [...(config.enabled ? secretParts : []), ...(config.personal ? personalParts : [])];
    this.ends = [...(config.enabled ? secretEnds : []), ...(config.personal ? personalEnds : [])];
    this.paths = config.paths.length > 0 ? treeOf(config.paths) : undefined;
  }

  /** Whether texts are searched for passwords. */
  get masksText(): boolean {
    return this.enabled;
  }

  isSecret(name: string): boolean {
    const key = plain(name);
    if (this.allowed.has(key)) return false;
    return this.own.has(key) || this.parts.some(part => key.includes(part)) || this.ends.some(end => key.endsWith(end));
  }
}

function treeOf(paths: readonly string[]): PathNode {
  const root: PathNode = { next: new Map(), ends: false };
  for (const path of paths) {
    let at = root;
    for (const step of path.replace(/\[(\w+|\*)\]/g, '.$1').split('.')) {
      let next = at.next.get(step);
      if (!next) at.next.set(step, (next = { next: new Map(), ends: false }));
      at = next;
    }
    at.ends = true;
  }
  return root;
}

/** One step down a path, for the key's own name and for `*`. */
export function stepInto(node: PathNode | undefined, key: string): PathNode | undefined {
  if (!node) return undefined;
  const named = node.next.get(key);
  const any = node.next.get('*');
  if (!named || !any) return named ?? any;
  return { next: new Map([...any.next, ...named.next]), ends: named.ends || any.ends };
}
